/** What went wrong on the way to the payment page, and what it means for one's money. */
import { Link } from "react-router";
import type { ApiError } from "../api/errors";

export function Trouble({ error }: { error: ApiError | null }) {
  if (!error) return null;
  const words = troubleWords(error);
  return (
    <p className="form-error" role="alert" data-testid="trouble" data-code={error.code}>
      {words}
      {error.code === "payment.already_subscribed" && <> <Link to="/account#subscriptions">Manage your subscriptions</Link></>}
    </p>
  );
}

/** Nothing is charged before the payment page: say so whenever it did not come to that. */
export function troubleWords({ code, status, message }: ApiError): string {
  if (code === "payment.stripe") return "The payment service does not answer just now. Nothing was charged. Try again in a moment.";
  if (status === 0) return `${message} Nothing was charged.`;
  if (status >= 500 && !code.startsWith("payment.")) return "The server has a problem. Nothing was charged. Try again in a moment.";
  return message;
}
