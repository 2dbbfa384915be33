import { useRef, useState } from "react";
import { asApiError, type ApiError } from "../api/errors";
import { askForPayout, type Balance } from "../api/earnings";
import { price } from "../money/amounts";
import { randomId } from "../session/device";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { FormError } from "../ui/Field";
import { useToast } from "../ui/Toasts";

interface PayoutProps {
  open: boolean;
  balance: Balance;
  minimum: number;
  onClose: () => void;
  onNews: () => void;
}

/** Everything that is available is paid out at once; one more press, or one more try after a failure, is the same payout. */
export function PayoutDialog(props: PayoutProps) {
  return (
    <Dialog title="Pay out what is available?" open={props.open} onClose={props.onClose}>
      {props.open && <Question {...props} />}
    </Dialog>
  );
}

function Question({ balance: { available_minor, currency }, minimum, onClose, onNews }: PayoutProps) {
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const key = useRef(randomId());
  const going = useRef(false);
  const amount = price(available_minor, currency);
  const send = () => {
    if (going.current) return;
    going.current = true;
    setBusy(true);
    setProblem(null);
    askForPayout(currency, key.current).then(
      (payout) => {
        toast(`${price(payout.amount_minor, payout.currency)} is on its way.`);
        onNews();
        onClose();
      },
      (thrown: unknown) => {
        setProblem(refusalWords(asApiError(thrown), currency));
        setBusy(false);
        going.current = false;
        onNews();
      },
    );
  };
  return (
    <>
      <p className="total"><span>All that is available</span><strong data-testid="payout-amount">{amount}</strong></p>
      <p className="muted">It goes to the bank account you gave to Stripe; banks take one to three working days. Less than {price(minimum, currency)} is not paid out.</p>
      <FormError message={problem} />
      <footer>
        <Button onClick={onClose}>Not now</Button>
        <Button look="primary" busy={busy} onClick={send} data-testid="confirm">Pay out {amount}</Button>
      </footer>
    </>
  );
}

/** Where the answer is missing, one more try is safe, and it is said. */
export function refusalWords({ code, status, message, details }: ApiError, currency: string, locale?: string): string {
  if (code === "payment.payout_too_small" && typeof details["available"] === "number") {
    return `${message} ${price(details["available"], currency, { locale })} is available now.`;
  }
  if (status === 0 || status >= 500) return `${message} Trying again is safe: it is paid out once.`;
  return message;
}
