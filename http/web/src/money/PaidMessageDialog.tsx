/** A message that is paid for: what it says, what it costs, and how long it stays on top for that. */
import { useId, useState, type FormEvent } from "react";
import { payForMessage, type Shelf } from "../api/payments";
import { messageLength } from "../chat/text";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { describedBy, Field, FieldNotes } from "../ui/Field";
import { fieldOf, lengthWords, minorOf, price } from "./amounts";
import { levelOf, onTopSeconds } from "./levels";
import type { Channel } from "./SupportButtons";
import { Trouble } from "./Trouble";
import { useBuying } from "./useBuying";
import type { Wish } from "./wish";

interface MessageProps {
  open: boolean;
  channel: Channel;
  shelf: Shelf;
  streamId: string;
  wish: Wish;
  onClose: () => void;
}

const MOST_LETTERS = 500;

export function PaidMessageDialog({ open, onClose, ...props }: MessageProps) {
  return <Dialog title="Send a paid message" open={open} onClose={onClose}>{open && <Form onClose={onClose} {...props} />}</Dialog>;
}

function Form({ channel, shelf, streamId, wish, onClose }: Omit<MessageProps, "open">) {
  const { currency, message_steps: steps, message_max_minor: most } = shelf;
  const [text, setText] = useState("");
  const [amount, setAmount] = useState(fieldOf(steps[Math.min(2, steps.length - 1)]?.amount_minor ?? 0, currency));
  const [checked, setChecked] = useState(false);
  const buying = useBuying();
  const minor = minorOf(amount, currency);
  const seconds = minor === null ? null : onTopSeconds(minor, shelf);
  const amountProblem = amountWords(minor, shelf);
  const refused = buying.problem && isAboutText(buying.problem.code);
  const textProblem = refused ? `${buying.problem!.message} Nothing was charged; change it and try again.` : !checked ? undefined : !text.trim() ? "Write what the message says." : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!text.trim() || minor === null || seconds === null) return;
    const message = { stream_id: streamId, text: text.trim(), amount_minor: minor };
    buying.buy(message, (key) => payForMessage(message, key), wish);
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <TextField text={text} onText={(value) => { setText(value); buying.clear(); }} error={textProblem} />
      <div className="field">
        <div className="row segments" role="group" aria-label="Amounts">
          {steps.map((step) => (
            <button key={step.amount_minor} type="button" className="segment" aria-pressed={minor === step.amount_minor} onClick={() => setAmount(fieldOf(step.amount_minor, currency))}>{price(step.amount_minor, currency, { short: true })}</button>
          ))}
        </div>
        <Field label={`Amount in ${currency.toUpperCase()}`} inputMode="decimal" autoComplete="off" value={amount} onValue={setAmount} error={amountProblem ?? undefined} help={`From ${price(steps[0]?.amount_minor ?? 0, currency, { short: true })} to ${price(most, currency, { short: true })}.`} />
      </div>
      {seconds !== null && (
        <p className={`paid-sample paid-${levelOf({ pin_seconds: seconds })}`} aria-live="polite" data-testid="on-top">
          <strong>{price(minor!, currency)}</strong> {seconds === 0 ? "Stands out in the chat, and is not kept on top." : `Stands out in the chat, and stays on top for ${lengthWords(seconds)}.`}
        </p>
      )}
      {!refused && <Trouble error={buying.problem} />}
      <footer>
        <p className="muted small dialog-note">{channel.name}'s filters look at the text before you pay. If it is not shown, you get your money back.</p>
        <Button onClick={onClose}>Not now</Button>
        <Button look="primary" type="submit" busy={buying.busy} data-testid="go-pay">Go to payment</Button>
      </footer>
    </form>
  );
}

function TextField({ text, onText, error }: { text: string; onText: (text: string) => void; error: string | undefined }) {
  const id = useId();
  const length = messageLength(text);
  return (
    <div className="field">
      <label htmlFor={id}>Message</label>
      <textarea id={id} className="input" rows={3} value={text} maxLength={MOST_LETTERS} onChange={(event) => onText(event.target.value)} aria-invalid={error ? true : undefined} aria-describedby={describedBy(id, undefined, error)} data-testid="paid-text" />
      {length > MOST_LETTERS - 80 && <p className="composer-left">{MOST_LETTERS - length} left</p>}
      <FieldNotes id={id} error={error} />
    </div>
  );
}

export const isAboutText = (code: string) => code.startsWith("chat.") || code === "payment.messages_off" || code === "payment.stream_over" || code === "room.premium";

/** Why an amount does not do; null when it does. */
export function amountWords(minor: number | null, { currency, message_steps, message_max_minor }: Shelf): string | null {
  const least = message_steps[0]?.amount_minor ?? 0;
  if (minor === null) return "Write an amount, like 5 or 7.50.";
  if (minor < least) return `The smallest amount is ${price(least, currency, { short: true })}.`;
  if (minor > message_max_minor) return `The largest amount is ${price(message_max_minor, currency, { short: true })}.`;
  return null;
}
