/** Giving subscriptions to a person, or to the people of a room. */
import { useState, type FormEvent, type ReactNode } from "react";
import { give, type NewGift, type Plan, type Shelf } from "../api/payments";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { price } from "./amounts";
import type { Channel } from "./SupportButtons";
import { Trouble } from "./Trouble";
import { useBuying } from "./useBuying";
import type { Wish } from "./wish";

interface GiftProps {
  open: boolean;
  channel: Channel;
  shelf: Shelf;
  streamId: string | null;
  wish: Wish;
  onClose: () => void;
}

const COUNTS = [1, 5, 10, 20];
const ABOUT_THE_NAME = new Set(["payment.recipient_unknown", "payment.name_not_unique", "payment.cannot_be_given"]);

export function GiftDialog({ open, onClose, ...props }: GiftProps) {
  return <Dialog title="Gift subscriptions" open={open} onClose={onClose}>{open && <Form onClose={onClose} {...props} />}</Dialog>;
}

function Form({ channel, shelf, streamId, wish, onClose }: Omit<GiftProps, "open">) {
  const plans = shelf.plans.filter((plan) => plan.scope === "channel").sort((a, b) => a.level - b.level);
  const [planId, setPlanId] = useState(plans[0]?.id ?? "");
  const [room, setRoom] = useState(streamId !== null);
  const [count, setCount] = useState(1);
  const [name, setName] = useState("");
  const [missing, setMissing] = useState(false);
  const buying = useBuying();
  const plan = plans.find((each) => each.id === planId);
  if (!plan) return <p className="muted">There are no tiers of channels here.</p>;
  const quantity = room ? count : 1;
  const nameProblem = missing ? "Name the person." : buying.problem && ABOUT_THE_NAME.has(buying.problem.code) && !room ? `${buying.problem.message} Nothing was charged.` : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!room && !name.trim()) return setMissing(true);
    const gift = wanted({ plan, channel, room, streamId, quantity, name: name.trim() });
    buying.buy(gift, (key) => give(gift, key), wish);
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      {streamId && (
        <fieldset className="field">
          <legend>Whom for?</legend>
          <div className="row segments">
            <Segment group="whom" on={room} onChoose={() => { setRoom(true); buying.clear(); }}>Viewers of this room</Segment>
            <Segment group="whom" on={!room} onChoose={() => { setRoom(false); buying.clear(); }}>One person</Segment>
          </div>
        </fieldset>
      )}
      {room ? (
        <fieldset className="field">
          <legend>How many?</legend>
          <div className="row segments">{COUNTS.filter((each) => each <= shelf.gifts_at_once).map((each) => <Segment key={each} group="count" on={count === each} onChoose={() => setCount(each)}>{each}</Segment>)}</div>
          <p className="field-help">They go to viewers who have no subscription yet, all with the same chance. What nobody gets within 30 days is paid back.</p>
        </fieldset>
      ) : (
        <Field label="Their name" value={name} onValue={(value) => { setName(value); setMissing(false); buying.clear(); }} error={nameProblem} maxLength={100} autoComplete="off" help="As it stands in the chat." />
      )}
      <fieldset className="field">
        <legend>Which tier of {channel.name}?</legend>
        <div className="row segments">{plans.map((each) => <Segment key={each.id} group="tier" on={each.id === planId} onChoose={() => setPlanId(each.id)}>Tier {each.level}</Segment>)}</div>
      </fieldset>
      {(!buying.problem || !nameProblem) && <Trouble error={buying.problem} />}
      <p className="total" aria-live="polite" data-testid="gift-total"><span>{quantity} × {price(plan.amount_minor, plan.currency)}, one month each</span><strong>{price(plan.amount_minor * quantity, plan.currency)}</strong></p>
      <footer>
        <p className="muted small dialog-note">Paid once, before tax. A gift does not renew.</p>
        <Button onClick={onClose}>Not now</Button>
        <Button look="primary" type="submit" busy={buying.busy} data-testid="go-pay">Go to payment</Button>
      </footer>
    </form>
  );
}

interface Wanted {
  plan: Plan;
  channel: Channel;
  room: boolean;
  streamId: string | null;
  quantity: number;
  name: string;
}

/** With a stream and a name the room hears of it too. */
export function wanted({ plan, channel, room, streamId, quantity, name }: Wanted): NewGift {
  return {
    plan_id: plan.id,
    creator_id: channel.id,
    ...(streamId ? { stream_id: streamId } : {}),
    ...(room ? { quantity } : { recipient_name: name }),
  };
}

function Segment({ group, on, onChoose, children }: { group: string; on: boolean; onChoose: () => void; children: ReactNode }) {
  return <label className="segment"><input type="radio" name={group} checked={on} onChange={onChoose} />{children}</label>;
}
