/** The tiers of a channel, and the way to the payment page. */
import { useState } from "react";
import { Link } from "react-router";
import { beginCheckout, type Shelf, type Subscription } from "../api/payments";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { INTERVALS, price } from "./amounts";
import { tierWords } from "./levels";
import { standingOf } from "./standing";
import type { Channel } from "./SupportButtons";
import { Trouble } from "./Trouble";
import { useBuying } from "./useBuying";
import type { Wish } from "./wish";

interface SubscribeProps {
  open: boolean;
  channel: Channel;
  shelf: Shelf;
  running: Subscription | null;
  /** The level of what was given to one, where nothing runs. */
  given: number | undefined;
  /** Whether it is known what one has. */
  known: boolean;
  wish: Wish;
  onClose: () => void;
}

export function SubscribeDialog({ open, channel, onClose, ...props }: SubscribeProps) {
  return <Dialog title={`Subscribe to ${channel.name}`} open={open} onClose={onClose}>{open && <Tiers channel={channel} onClose={onClose} {...props} />}</Dialog>;
}

function Tiers({ channel, shelf, running, given, known, wish, onClose }: Omit<SubscribeProps, "open">) {
  const plans = shelf.plans.filter((plan) => plan.scope === "channel").sort((a, b) => a.level - b.level);
  const [first] = plans;
  const [chosen, setChosen] = useState(running?.plan_id ?? first?.id ?? "");
  const buying = useBuying();
  const plan = plans.find((each) => each.id === chosen);
  if (!first || !plan) return <p className="muted">There are no tiers of channels here.</p>;
  return (
    <>
      {running && <p className="notice" data-testid="channel-current">You are subscribed. {standingOf(running).words} <Link to="/account#subscriptions">Manage it, or change its tier</Link></p>}
      {given && <p className="notice" data-testid="channel-given">You have tier {given} as a gift. <Link to="/account#subscriptions">See until when</Link>; what you buy here begins now, beside it.</p>}
      <fieldset className="field" disabled={Boolean(running)}>
        <legend className="sr-only">Tier</legend>
        <div className="tiers">
          {plans.map((each) => (
            <label className="choice" key={each.id} data-testid={`tier-${each.level}`}>
              <input type="radio" name="tier" checked={chosen === each.id} onChange={() => { setChosen(each.id); buying.clear(); }} />
              <strong>Tier {each.level} · {price(each.amount_minor, each.currency)} <small className="muted">{INTERVALS[each.interval]}</small></strong>
              <span>{tierWords(each, first).join(" · ")}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Trouble error={buying.problem} />
      {!running && (
        <footer>
          <p className="muted small dialog-note">Before tax. Renews by itself until you cancel. You pay on a page of Stripe.</p>
          <Button onClick={onClose}>Not now</Button>
          <Button look="primary" busy={buying.busy} disabled={!known} onClick={() => buying.buy({ plan: plan.id, channel: channel.id }, () => beginCheckout(plan.id, channel.id), wish)} data-testid="go-pay">Go to payment</Button>
        </footer>
      )}
    </>
  );
}
