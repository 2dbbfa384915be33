/** What the desk says of deeds, rights and payments. Pure. */
import type { Deed, KnownPayment, Right } from "../api/paymentsAdmin";
import type { Plan } from "../api/payments";
import { day, fieldOf, minorOf, price } from "../money/amounts";

const ACTIONS: Record<string, string> = {
  look_up: "Looked at a customer",
  comp: "Gave a subscription",
  end_comp: "Took back a given subscription",
  freeze_payouts: "Stopped payouts",
  unfreeze_payouts: "Let payouts go on",
  refund_asked: "Asked for a refund",
  refund: "Gave a payment back",
  refund_refused: "Was refused a refund by Stripe",
};

export const actionWords = ({ action }: Pick<Deed, "action">) => ACTIONS[action] ?? action.replaceAll("_", " ");

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** The id in a text, which may be a channel's address; null without one. */
export const idIn = (text: string): string | null => UUID.exec(text)?.[0].toLowerCase() ?? null;

/** "premium" or "channel:<id>". */
export const scopeWords = (scope: string) => (scope === "premium" ? "Premium" : `Channel ${scope.replace("channel:", "")}`);

export const isOver = ({ until }: Pick<Right, "until">, now: number) => until !== null && Date.parse(until) <= now;

export function rightWords(right: Right, now: number, locale?: string): string {
  const { until, in_grace, source } = right;
  const from = source.startsWith("comp:") ? "Given by support" : source.startsWith("gift:") ? "A gift" : "A subscription";
  if (until === null) return `${from}, until it is taken back`;
  if (isOver(right, now)) return `${from}, ended on ${day(until, locale)}`;
  return `${from}, until ${day(until, locale)}${in_grace ? " while a payment is owed" : ""}`;
}

/** What is wrong with an amount to give back; null for nothing. */
export function refundProblem(text: string, { left_minor, currency }: Pick<KnownPayment, "left_minor" | "currency">, locale?: string): string | null {
  const minor = minorOf(text, currency);
  if (minor === null || minor === 0) return `Write an amount like ${fieldOf(left_minor, currency)}.`;
  return minor > left_minor ? `At most ${price(left_minor, currency, { locale })} can be given back.` : null;
}

export const isOfSubscription = ({ source }: Pick<KnownPayment, "source">) => source === "subscription" || source === "premium";

/** What becomes of what was bought, when so much of its payment is given back. */
export function afterwards({ source, left_minor }: Pick<KnownPayment, "source" | "left_minor">, minor: number, ends: boolean): string {
  if (isOfSubscription({ source })) return ends ? "The subscription ends at once." : "The subscription itself goes on, and renews, until its owner cancels it.";
  return minor < left_minor ? "It is a part: what was bought with it stays." : "What was bought with it ends at once.";
}

export interface CompWish {
  planId: string;
  channel: string;
  /** "" stands until it is taken back. */
  days: string;
  reason: string;
}

export const MOST_DAYS = 3660;

/** What is wrong, by field. */
export function compProblems({ planId, channel, days, reason }: CompWish, plans: Plan[]): Record<string, string> {
  const plan = plans.find((each) => each.id === planId);
  const count = Number(days);
  return {
    ...(plan ? {} : { plan: "Choose a plan." }),
    ...(plan?.scope === "channel" && !idIn(channel) ? { channel: "Paste the id of the channel, or the address of its page." } : {}),
    ...(days.trim() !== "" && !(Number.isInteger(count) && count >= 1 && count <= MOST_DAYS) ? { days: `Write a number of days from 1 to ${MOST_DAYS}, or nothing.` } : {}),
    ...(reason.trim() ? {} : { reason: "Say why: it stays in the log." }),
  };
}

export const untilOf = (days: string, now: number) => (days.trim() === "" ? undefined : new Date(now + Number(days) * 86_400_000).toISOString());
