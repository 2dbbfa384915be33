/** Paid messages on top of the chat, side by side, each with what is left of its time. */
import { useEffect, useState } from "react";
import { price } from "../money/amounts";
import { levelOf } from "../money/levels";
import type { Message, Paid } from "../realtime/events";
import { clock } from "../ui/time";
import { Name, type Look } from "./ChatLine";
import { LineText } from "./LineText";
import { useCountdown } from "./useCountdown";

type PaidMessage = Message & { paid: Paid };

export const endOf = ({ at, paid }: PaidMessage) => at + paid.pin_seconds * 1000;

/** The largest amounts first, as they were paid to be seen; among equals the older one. */
export function shownOnTop(messages: readonly Message[], now: number): PaidMessage[] {
  const paid = messages.filter((one): one is PaidMessage => Boolean(one.paid) && endOf(one as PaidMessage) > now);
  return paid.sort((one, other) => levelOf(other.paid) - levelOf(one.paid) || one.at - other.at);
}

export function OnTop({ messages, look }: { messages: readonly Message[]; look: Look }) {
  const shown = useShown(messages);
  if (shown.length === 0) return null;
  return (
    <section className="on-top" aria-label="Paid messages on top" data-testid="on-top-list">
      <ul>{shown.map((one) => <Card key={one.id} message={one} look={look} />)}</ul>
    </section>
  );
}

function Card({ message, look }: { message: PaidMessage; look: Look }) {
  const [whole, setWhole] = useState(false);
  const left = useCountdown(endOf(message));
  const { paid, user, text } = message;
  const share = Math.min(1, left / (paid.pin_seconds * 1000));
  return (
    <li className={`on-top-card paid-${levelOf(paid)}`} data-testid="on-top-card" data-level={levelOf(paid)} style={{ ["--left" as string]: share }}>
      <button type="button" aria-expanded={whole} onClick={() => setWhole(!whole)}>
        <span className="on-top-head"><Name user={user} theme={look.theme} /><strong>{price(paid.amount_minor, paid.currency, { short: true })}</strong><span role="timer" aria-label="Time left on top">{clock(Math.ceil(left / 1000))}</span></span>
        <span className={whole ? "on-top-text" : "on-top-text on-top-short"}><LineText text={text} emotes={look.emotes} myName={look.myName} /></span>
      </button>
    </li>
  );
}

/** Looks again when the next one's time is over. */
function useShown(messages: readonly Message[]): PaidMessage[] {
  const [, setTick] = useState(0);
  const shown = shownOnTop(messages, Date.now());
  const next = shown.length ? Math.min(...shown.map(endOf)) : null;
  useEffect(() => {
    if (next === null) return;
    const timer = setTimeout(() => setTick((tick) => tick + 1), Math.min(2 ** 31 - 1, Math.max(0, next - Date.now()) + 20));
    return () => clearTimeout(timer);
  }, [next]);
  return shown;
}
