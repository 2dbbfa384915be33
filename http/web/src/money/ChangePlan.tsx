/** Another plan: first what it costs now, then the change for exactly that. */
import { useEffect, useState } from "react";
import { ApiError, asApiError } from "../api/errors";
import { changePlan, previewPlan, type Change, type Plan, type Subscription } from "../api/payments";
import { useSession } from "../session/SessionProvider";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Skeleton } from "../ui/Skeleton";
import { useToast } from "../ui/Toasts";
import { price } from "./amounts";
import { changeWords, planPrice, planWords } from "./standing";

interface ChangeProps {
  open: boolean;
  one: Subscription;
  current: Plan;
  others: Plan[];
  onClose: () => void;
  onChanged: () => void;
}

export function ChangePlan({ open, onClose, ...props }: ChangeProps) {
  return <Dialog title="Change plan" open={open} onClose={onClose}>{open && <Choices {...props} onClose={onClose} />}</Dialog>;
}

function Choices({ one, current, others, onClose, onChanged }: Omit<ChangeProps, "open">) {
  const [chosen, setChosen] = useState(others.length === 1 ? others[0]!.id : "");
  const { change, error, again } = usePreview(one.id, chosen);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const toast = useToast();
  const { renew } = useSession();
  const plan = others.find((each) => each.id === chosen);
  const confirm = () => {
    if (!change || !plan || busy) return;
    setBusy(true);
    setProblem(null);
    changePlan(one.id, change)
      .then(
        () => {
          toast(`Your plan is now ${planWords(plan)}.`);
          onChanged();
          void renew();
          onClose();
        },
        (thrown: unknown) => {
          const refusal = asApiError(thrown);
          setProblem(refusedWords(refusal));
          if (refusal.code === "payment.preview_too_old") again();
        },
      )
      .finally(() => setBusy(false));
  };
  return (
    <>
      <fieldset className="field">
        <legend className="muted">Now: {planWords(current)}, {planPrice(current)}</legend>
        <div className="choices">
          {others.map((each) => (
            <label className="choice" key={each.id}>
              <input type="radio" name="plan" checked={chosen === each.id} onChange={() => { setChosen(each.id); setProblem(null); }} />
              <strong>{planWords(each)}</strong>
              <span>{planPrice(each)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <div aria-live="polite" data-testid="preview">
        {chosen && !change && !error && <Skeleton height={48} />}
        {error && <p className="form-error">{error.message} <button type="button" className="link" onClick={again}>Try again</button></p>}
        {change && plan && <p className="notice">{changeWords(change.due_minor, change.currency)}{change.tax_minor > 0 && ` ${price(change.tax_minor, change.currency)} of it is tax.`} <span className="muted">What is left of your present plan is taken into account.</span></p>}
      </div>
      {problem && <p className="form-error" role="alert">{problem}</p>}
      <footer>
        <Button onClick={onClose}>Keep my plan</Button>
        <Button look="primary" busy={busy} disabled={!change} onClick={confirm} data-testid="confirm-change">{change && change.due_minor > 0 ? `Pay ${price(change.due_minor, change.currency)} and change` : "Change"}</Button>
      </footer>
    </>
  );
}

export function refusedWords(error: ApiError): string {
  if (error.code === "payment.refused") return "Your card was refused, so nothing has changed and nothing was taken. Choose another card under “Cards and addresses”, and try again.";
  if (error.code === "payment.preview_too_old") return "This price was too old. Here is the present one: look at it, and confirm again.";
  if (error.code === "payment.stripe") return "The payment service does not answer just now. Trying again in a moment is safe: nothing is charged twice.";
  return error.message;
}

function usePreview(subscription: string, plan: string) {
  const [change, setChange] = useState<Change | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [count, setCount] = useState(0);
  useEffect(() => {
    setChange(null);
    setError(null);
    if (!plan) return;
    const left = new AbortController();
    previewPlan(subscription, plan, left.signal).then(setChange, (thrown: unknown) => {
      if (!left.signal.aborted) setError(asApiError(thrown));
    });
    return () => left.abort();
  }, [subscription, plan, count]);
  return { change, error, again: () => setCount((before) => before + 1) };
}
