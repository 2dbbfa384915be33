import { useId, useState, type FormEvent } from "react";
import { comp } from "../api/paymentsAdmin";
import type { User } from "../api/types";
import { useOpenShelf } from "../money/useShelf";
import { focusFirstInvalid } from "../pages/AuthPage";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field, FieldNotes, FormError } from "../ui/Field";
import { ReasonField, useDeed } from "./ReasonDialog";
import { compProblems, idIn, MOST_DAYS, untilOf, type CompWish } from "./words";

interface CompProps {
  open: boolean;
  user: Pick<User, "id" | "display_name">;
  onClose: () => void;
  onDone: () => void;
}

/** A subscription that nobody pays for. */
export function CompDialog(props: CompProps) {
  return (
    <Dialog title={`Give ${props.user.display_name} a subscription`} open={props.open} onClose={props.onClose}>
      {props.open && <CompForm {...props} />}
    </Dialog>
  );
}

function CompForm({ user, onClose, onDone }: CompProps) {
  const plans = useOpenShelf()?.plans ?? [];
  const [wish, setWish] = useState<CompWish>({ planId: "", channel: "", days: "30", reason: "" });
  const [checked, setChecked] = useState(false);
  const change = (more: Partial<CompWish>) => setWish((was) => ({ ...was, ...more }));
  const plan = plans.find((each) => each.id === wish.planId);
  const problems = compProblems(wish, plans);
  const shown = checked ? problems : {};
  const doing = useDeed(`${user.display_name} has it now.`, onClose, onDone);
  const planField = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(problems).length) {
      focusFirstInvalid();
      return;
    }
    const creatorId = plan?.scope === "channel" ? idIn(wish.channel) : null;
    const until = untilOf(wish.days, Date.now());
    doing.run(() => comp({ user_id: user.id, plan_id: wish.planId, reason: wish.reason.trim(), ...(creatorId ? { creator_id: creatorId } : {}), ...(until ? { until } : {}) }));
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor={planField}>Which subscription</label>
        <select id={planField} className="input" value={wish.planId} aria-invalid={shown["plan"] ? true : undefined} aria-describedby={shown["plan"] ? `${planField}-error` : undefined} onChange={(event) => change({ planId: event.target.value })}>
          <option value="" disabled>Choose …</option>
          {plans.filter((each) => each.interval === "month").map((each) => <option key={each.id} value={each.id}>{each.scope === "premium" ? "Premium" : `A channel, tier ${each.level}`}</option>)}
        </select>
        <FieldNotes id={planField} error={shown["plan"]} />
      </div>
      {plan?.scope === "channel" && <Field label="Of which channel" help="The creator's id, or the address of their page." value={wish.channel} onValue={(channel) => change({ channel })} error={shown["channel"]} autoComplete="off" spellCheck={false} />}
      <Field label="For how many days" help={`1 to ${MOST_DAYS}. Leave it empty to give it until it is taken back.`} inputMode="numeric" value={wish.days} onValue={(days) => change({ days })} error={shown["days"]} autoComplete="off" />
      <ReasonField value={wish.reason} onValue={(reason) => change({ reason })} error={shown["reason"]} />
      <FormError message={doing.problem} />
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" busy={doing.busy} data-testid="confirm">{wish.days.trim() ? `Give it for ${wish.days.trim()} ${wish.days.trim() === "1" ? "day" : "days"}` : "Give it until taken back"}</Button>
      </footer>
    </form>
  );
}
