/** Buying and what one has bought. See docs/api.md, "Subscribing". No card ever comes near any of this. */
import { call } from "./client";

type Signal = AbortSignal | undefined;

export interface Plan {
  id: string;
  name: string;
  scope: "premium" | "channel";
  level: number;
  interval: "month" | "year";
  amount_minor: number;
  currency: string;
}

export interface Shelf {
  plans: Plan[];
  currency: string;
  gifts_at_once: number;
  message_max_minor: number;
  message_steps: { amount_minor: number; on_top_seconds: number }[];
}

export interface Order {
  id: string;
  kind: "subscription" | "gift" | "paid_message";
  state: "open" | "paid" | "expired" | "canceled" | "refunded";
  plan_id: string | null;
  creator_id: string | null;
  quantity: number;
  amount_minor: number;
  currency: string;
  created_at: string;
  expires_at: string;
  /** The payment page, while it is open. */
  url: string | null;
}

export interface Subscription {
  id: string;
  plan_id: string;
  /** null: premium. */
  creator_id: string | null;
  status: "active" | "canceled" | "expired";
  amount_minor: number;
  currency: string;
  current_period_start: string;
  current_period_end: string;
  cancel_at_period_end: boolean;
  trial_end: string | null;
  grace_until: string | null;
  ended_at: string | null;
  created_at: string;
}

/** What another plan would cost now; `due_minor` below 0 is credited. */
export interface Change {
  plan_id: string;
  due_minor: number;
  tax_minor: number;
  currency: string;
  prorated_at: string;
}

export interface Invoice {
  id: string;
  number: string | null;
  status: string | null;
  total_minor: number;
  tax_minor: number;
  currency: string;
  created_at: string;
  page_url: string | null;
  pdf_url: string | null;
}

export interface PaidMessage {
  order_id: string;
  text: string;
  state: "draft" | "paid" | "held" | "shown" | "denied" | "withdrawn";
  outcome: string | null;
}

/** A subscription that was given; `until` is when it ends, behind what one had already. */
export interface Given {
  id: string;
  plan_id: string;
  creator_id: string | null;
  months: number;
  state: "waiting" | "taken" | "withdrawn";
  starts_at: string | null;
  until: string | null;
}

export interface NewGift {
  plan_id: string;
  creator_id?: string;
  recipient_name?: string;
  stream_id?: string;
  quantity?: number;
}

/** `key`: the same wish sent twice makes one order. */
const order = (path: string, body: object, key: string) => call<Order>(path, { method: "POST", body, headers: { "idempotency-key": key } });
const of = (id: string, path: string) => `/subscriptions/${encodeURIComponent(id)}${path}`;

export const fetchPlans = (signal?: Signal) => call<Shelf>("/plans", { signal });
/** Subscribing needs no key: an open order for the same plan is given again. */
export const beginCheckout = (plan_id: string, creator_id?: string) =>
  call<Order>("/checkout", { method: "POST", body: { plan_id, ...(creator_id ? { creator_id } : {}) } });
export const give = (gift: NewGift, key: string) => order("/gifts", gift, key);
export const payForMessage = (message: { stream_id: string; text: string; amount_minor: number }, key: string) => order("/paid-messages", message, key);
export const fetchOrder = (id: string, signal?: Signal) => call<Order>(`/checkout/${encodeURIComponent(id)}`, { signal });
export const fetchPaidMessages = (signal?: Signal) => call<{ messages: PaidMessage[] }>("/paid-messages?limit=20", { signal });

export const fetchSubscriptions = (signal?: Signal) => call<{ subscriptions: Subscription[] }>("/subscriptions", { signal });
export const fetchReceived = (signal?: Signal) => call<{ gifts: Given[] }>("/gifts/received?limit=50", { signal });
export const cancelSubscription = (id: string) => call<Subscription>(of(id, "/cancel"), { method: "POST" });
export const resumeSubscription = (id: string) => call<Subscription>(of(id, "/resume"), { method: "POST" });
export const previewPlan = (id: string, plan_id: string, signal?: Signal) => call<Change>(of(id, `/preview?plan_id=${encodeURIComponent(plan_id)}`), { signal });
export const changePlan = (id: string, { plan_id, prorated_at }: Change) => call<Subscription>(of(id, "/plan"), { method: "POST", body: { plan_id, prorated_at } });
export const openPortal = () => call<{ url: string }>("/billing-portal", { method: "POST" });
export const fetchInvoices = (signal?: Signal) => call<{ invoices: Invoice[] }>("/invoices", { signal });
