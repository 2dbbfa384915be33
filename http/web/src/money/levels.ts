/** What a tier gives, and how a paid message looks by what was paid for it. Pure. */
import type { Plan, Shelf } from "../api/payments";
import type { Paid } from "../realtime/events";

/** From so many seconds on top on, a message has the next colour. The colours are in money.css. */
const STEPS_SECONDS = [1, 60, 120, 300, 600];

export const levelOf = ({ pin_seconds }: Pick<Paid, "pin_seconds">): number => STEPS_SECONDS.filter((step) => pin_seconds >= step).length;

/** How long an amount stays on top; null for one that is too small or too large. */
export function onTopSeconds(amountMinor: number, { message_steps, message_max_minor }: Pick<Shelf, "message_steps" | "message_max_minor">): number | null {
  if (amountMinor > message_max_minor) return null;
  return message_steps.findLast((step) => step.amount_minor <= amountMinor)?.on_top_seconds ?? null;
}

/** The tiers open the same doors; what differs is how much of it reaches the creator. */
export function tierWords(plan: Plan, first: Plan): string[] {
  if (plan.level === first.level) return ["A subscriber badge beside your name in this chat", "This channel's premium streams and videos", "The chat when it is for subscribers only"];
  const times = Math.round(plan.amount_minor / first.amount_minor);
  return ["All of that", `${times === 2 ? "Twice" : `${times} times`} the support for the creator`];
}

export const PREMIUM_GIVES = [
  "Premium videos and streams of every channel",
  "The subscriber badge in every chat",
  "Chats that are for subscribers only",
];
