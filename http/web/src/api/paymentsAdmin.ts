/** Other people's money, for administrators. See docs/api.md, "Administration of payments". */
import { call } from "./client";
import type { Balance, Payout, Schedule, Source } from "./earnings";
import type { User } from "./types";

type Signal = AbortSignal | undefined;

export interface KnownOrder {
  id: string;
  kind: "subscription" | "gift" | "paid_message";
  plan_id: string | null;
  creator_id: string | null;
  quantity: number;
  amount_minor: number;
  currency: string;
  state: string;
  stripe_session_id: string | null;
  stripe_payment_intent_id: string | null;
  stripe_subscription_id: string | null;
  created_at: string;
  closed_at: string | null;
}

export interface KnownSubscription {
  id: string;
  plan_id: string;
  creator_id: string | null;
  status: string;
  stripe_status: string;
  stripe_subscription_id: string;
  current_period_end: string;
  cancel_at_period_end: boolean;
  created_at: string;
}

/** `reference` is what a refund names; `left_minor` can still be given back. */
export interface KnownPayment {
  reference: string;
  source: Source | null;
  creator_id: string | null;
  order_id: string | null;
  currency: string;
  paid_minor: number;
  left_minor: number;
  at: string;
}

/** `until` null: until it is taken back. */
export interface Right {
  user_id: string;
  scope: string;
  source: string;
  level: number;
  starts_at: string;
  until: string | null;
  in_grace: boolean;
}

export interface KnownAccount {
  creator_id: string;
  stripe_account_id: string | null;
  country: string | null;
  details_submitted: boolean;
  payouts_enabled: boolean;
  requirements: string[];
  schedule: Schedule;
  next_payout_at: string | null;
  frozen_at: string | null;
  frozen_reason: string | null;
}

export interface KnownPayout extends Pick<Payout, "id" | "amount_minor" | "currency" | "state" | "asked_by" | "asked_at" | "failure"> {
  stripe_transfer_id: string | null;
}

/** `before` and `after` are whatever the deed changed. */
export interface Deed {
  id: string;
  action: string;
  actor_id: string;
  actor_name: string;
  user_id: string | null;
  at: string;
  about: string | null;
  reason: string;
  before: unknown;
  after: unknown;
}

export interface Dossier {
  user: User;
  stripe_customer_id: string | null;
  orders: KnownOrder[];
  subscriptions: KnownSubscription[];
  payments: KnownPayment[];
  rights: Right[];
  payout_account: KnownAccount | null;
  balances: Balance[];
  payouts: KnownPayout[];
  deeds: Deed[];
}

export interface Refunded {
  refund_id: string;
  reference: string;
  amount_minor: number;
  currency: string;
  left_minor: number;
}

export interface NewRefund {
  reference: string;
  reason: string;
  /** Without it all that is left. */
  amount_minor?: number;
  /** The subscription that was paid ends at once. */
  ends?: boolean;
}

export interface NewComp {
  user_id: string;
  plan_id: string;
  reason: string;
  creator_id?: string;
  until?: string;
}

const at = (path: string) => `/admin/payments${path}`;
const post = <Answer>(path: string, body: object) => call<Answer>(at(path), { method: "POST", body });

/** Once more the password of who is signed in: for ten minutes what moves other people's money is allowed. */
export const confirmPassword = (password: string) => call<void>("/auth/confirm", { method: "POST", body: { password } });
export const lookUp = (text: string, signal?: Signal) => call<Dossier>(at(`/customer?q=${encodeURIComponent(text)}`), { signal });
export const fetchDeeds = (cursor: string | null, signal?: Signal) =>
  call<{ deeds: Deed[]; next_cursor: string | null }>(at(`/audit?limit=25${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`), { signal });
/** The same `key` is the same refund, for ever: after a 5xx ask again with it. */
export const refund = (wanted: NewRefund, key: string) => call<Refunded>(at("/refunds"), { method: "POST", body: wanted, headers: { "idempotency-key": key } });
export const comp = (wanted: NewComp) => post<Right>("/comps", wanted);
export const endComp = (user_id: string, source: string, reason: string) => post<Right>("/comps/end", { user_id, source, reason });
export const freeze = (creator_id: string, reason: string) => post<KnownAccount>("/freeze", { creator_id, reason });
export const unfreeze = (creator_id: string, reason: string) => post<KnownAccount>("/unfreeze", { creator_id, reason });
