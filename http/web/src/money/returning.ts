/** The page one returns to from paying, as states. Pure. */
import type { ApiError } from "../api/errors";
import type { Order } from "../api/payments";

export type Stage = "looking" | "waiting" | "slow" | "paid" | "left" | "open" | "expired" | "canceled" | "refunded" | "unknown" | "unreachable";

interface Seen {
  order: Order | null;
  error: ApiError | null;
  /** The address says that one left the payment page. */
  left: boolean;
  /** How often was asked. */
  asked: number;
}

/** Payments are told within a second or two; after so many questions it is more honest to say that it takes longer. */
const SLOW_AFTER = 6;

export function stageOf({ order, error, left, asked }: Seen): Stage {
  if (!order) {
    if (error && [400, 404].includes(error.status)) return "unknown";
    return error ? "unreachable" : "looking";
  }
  if (order.state !== "open") return order.state;
  if (left) return "left";
  return asked < SLOW_AFTER ? "waiting" : order.url ? "open" : "slow";
}

/** An order that is over does not change; one that was left may still be paid in another tab. */
export const asksAgain = (stage: Stage) => !["paid", "expired", "canceled", "refunded", "unknown"].includes(stage);

/** 1 s, growing to 15 s: a bank may ask for a code, which takes a person a minute. */
export const pauseMs = (asked: number) => Math.min(15_000, 1000 * 1.6 ** Math.max(0, asked - 1));
