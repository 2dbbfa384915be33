import { useRef, useState, type FormEvent } from "react";
import { ApiError } from "../api/errors";
import { refund, type KnownPayment, type NewRefund } from "../api/paymentsAdmin";
import { fieldOf, minorOf, price } from "../money/amounts";
import { focusFirstInvalid } from "../pages/AuthPage";
import { randomId } from "../session/device";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field, FormError } from "../ui/Field";
import { ReasonField, useDeed } from "./ReasonDialog";
import { afterwards, isOfSubscription, refundProblem } from "./words";

interface RefundProps {
  payment: KnownPayment | null;
  name: string;
  onClose: () => void;
  onDone: () => void;
}

/** All of a payment or a part: first how much and why, then once more the amount. */
export function RefundDialog({ payment, name, onClose, onDone }: RefundProps) {
  const give = useRefunding();
  return (
    <Dialog title="Give this payment back" open={payment !== null} onClose={onClose}>
      {payment && <Steps key={payment.reference} payment={payment} name={name} give={give} onClose={onClose} onDone={onDone} />}
    </Dialog>
  );
}

function Steps({ payment, name, give, onClose, onDone }: RefundProps & { payment: KnownPayment; give: (wanted: NewRefund) => Promise<unknown> }) {
  const [amount, setAmount] = useState(() => fieldOf(payment.left_minor, payment.currency));
  const [reason, setReason] = useState("");
  const [checked, setChecked] = useState(false);
  const [sure, setSure] = useState(false);
  const minor = minorOf(amount, payment.currency) ?? 0;
  const words = price(minor, payment.currency);
  const doing = useDeed(`${words} goes back to ${name}.`, onClose, onDone);
  const wrong = refundProblem(amount, payment);
  const [keeps, setKeeps] = useState(false);
  const ends = isOfSubscription(payment) && minor === payment.left_minor && !keeps;
  const next = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (wrong || !reason.trim()) focusFirstInvalid();
    else setSure(true);
  };
  if (sure) {
    return (
      <>
        <p className="total"><span>Back to {name}</span><strong data-testid="refund-amount">{words}</strong></p>
        <p className="muted">{afterwards(payment, minor, ends)} The creator's share goes back too. This cannot be undone.</p>
        <FormError message={doing.problem} />
        <footer>
          <Button onClick={() => setSure(false)} disabled={doing.busy}>Back</Button>
          <Button look="danger" busy={doing.busy} autoFocus onClick={() => doing.run(() => give({ reference: payment.reference, amount_minor: minor, reason: reason.trim(), ...(ends && { ends }) }))} data-testid="confirm">Give back {words}</Button>
        </footer>
      </>
    );
  }
  return (
    <form className="stack" onSubmit={next} noValidate>
      <p className="muted">{price(payment.paid_minor, payment.currency)} was paid, {price(payment.left_minor, payment.currency)} of it can still be given back.</p>
      <Field label={`Amount in ${payment.currency.toUpperCase()}`} inputMode="decimal" autoComplete="off" value={amount} onValue={setAmount} error={checked && wrong ? wrong : undefined} data-testid="refund-field" />
      {isOfSubscription(payment) && minor === payment.left_minor && (
        <label className="refund-ends"><input type="checkbox" checked={!keeps} onChange={(event) => setKeeps(!event.target.checked)} data-testid="refund-ends" />End the subscription now</label>
      )}
      <ReasonField value={reason} onValue={setReason} error={checked && !reason.trim() ? "Say why: it stays in the log." : undefined} />
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" data-testid="refund-next">Next</Button>
      </footer>
    </form>
  );
}

/**
 * The same wish keeps its key until the server has said yes or no to it: without an answer the money may have gone, and
 * asking again with the key cannot send it twice.
 */
export function useRefunding(): (wanted: NewRefund) => Promise<unknown> {
  const keys = useRef(new Map<string, string>());
  return async (wanted) => {
    const wish = JSON.stringify(wanted);
    const key = keys.current.get(wish) ?? randomId();
    keys.current.set(wish, key);
    try {
      const answer = await refund(wanted, key);
      keys.current.delete(wish);
      return answer;
    } catch (thrown) {
      if (isFinal(thrown)) keys.current.delete(wish);
      throw thrown;
    }
  };
}

const isFinal = (thrown: unknown) => thrown instanceof ApiError && [400, 404, 409].includes(thrown.status);
