/** How a subscription stands, in words. Pure. */
import type { Plan, Subscription } from "../api/payments";
import { day, INTERVALS, price } from "./amounts";

export interface Standing {
  /** `renews`, `ends`, `owed`: a payment failed; `over`. */
  kind: "renews" | "ends" | "owed" | "over";
  badge: string;
  words: string;
  may: { cancel: boolean; resume: boolean; change: boolean };
}

const NOTHING = { cancel: false, resume: false, change: false };

export function standingOf(one: Subscription, now = Date.now(), locale?: string): Standing {
  const end = day(one.current_period_end, locale);
  if (one.status === "expired") {
    const ended = one.ended_at ?? one.current_period_end;
    return { kind: "over", badge: "Over", words: `Ended on ${day(ended, locale)}.`, may: NOTHING };
  }
  if (one.grace_until && Date.parse(one.grace_until) > now) {
    const words = `The last payment failed. You keep everything until ${day(one.grace_until, locale)}; mend the card before then.`;
    return { kind: "owed", badge: "Payment failed", words, may: { cancel: !one.cancel_at_period_end, resume: false, change: false } };
  }
  if (one.grace_until) {
    return { kind: "owed", badge: "Payment failed", words: "The last payment failed, and so this is paused. It comes back once the card is mended.", may: { cancel: !one.cancel_at_period_end, resume: false, change: false } };
  }
  if (one.cancel_at_period_end || one.status === "canceled") {
    return { kind: "ends", badge: "Canceled", words: `Ends on ${end}. You keep it until then, and nothing more is charged.`, may: { cancel: false, resume: Date.parse(one.current_period_end) > now, change: false } };
  }
  const amount = price(one.amount_minor, one.currency, { ...(locale && { locale }) });
  if (one.trial_end && Date.parse(one.trial_end) > now) {
    return { kind: "renews", badge: "Trial", words: `Free until ${day(one.trial_end, locale)}, then ${amount}.`, may: { cancel: true, resume: false, change: true } };
  }
  return { kind: "renews", badge: "Active", words: `Renews on ${end} for ${amount}.`, may: { cancel: true, resume: false, change: true } };
}

export const running = (one: Subscription) => one.status !== "expired";

/** The one that counts: premium without a channel. */
export const runningFor = (all: readonly Subscription[] | null, creatorId: string | null) =>
  all?.find((one) => running(one) && one.creator_id === creatorId) ?? null;

export const planWords = (plan: Plan) =>
  plan.scope === "premium" ? `Premium, ${plan.interval === "year" ? "yearly" : "monthly"}` : `Tier ${plan.level}`;

export const planPrice = (plan: Plan) => `${price(plan.amount_minor, plan.currency)} ${INTERVALS[plan.interval]}`;

/** What one pays now, or gets back, for another plan. */
export function changeWords(dueMinor: number, currency: string, locale?: string): string {
  const amount = price(Math.abs(dueMinor), currency, { ...(locale && { locale }) });
  if (dueMinor > 0) return `Due now: ${amount}, with the card you pay with already.`;
  if (dueMinor < 0) return `Nothing is due now. ${amount} is credited to your next payments.`;
  return "Nothing is due now.";
}
