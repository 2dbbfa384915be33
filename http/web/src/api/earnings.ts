/** What a creator earned and is paid. See docs/api.md, "Earning". Amounts are minor units; a debt is negative. */
import { call } from "./client";

type Signal = AbortSignal | undefined;

export type Schedule = "manual" | "weekly" | "monthly";
export type Source = "premium" | "subscription" | "gift" | "paid_message";

export interface PayoutAccount {
  state: "none" | "incomplete" | "ready" | "frozen";
  country: string | null;
  /** What Stripe still wants to know, in its words. */
  requirements: string[];
  schedule: Schedule;
  schedule_words: string;
  next_payout_at: string | null;
  next_payout_words: string | null;
}

export interface Balance {
  currency: string;
  pending_minor: number;
  available_minor: number;
  reserve_minor: number;
  transit_minor: number;
  paid_minor: number;
}

export interface Forecast {
  currency: string;
  /** null: it waits to be asked for. */
  at: string | null;
  amount_minor: number;
  how: string;
}

export interface Overview {
  account: PayoutAccount;
  balances: Balance[];
  forecast: Forecast[];
  minimum_minor: number;
  currency: string;
}

export interface Revenue {
  source: Source;
  currency: string;
  earned_minor: number;
  returned_minor: number;
  sales: number;
}

/** The last three are by level: "1", "2", "3". */
export interface Day {
  date: string;
  revenue: Revenue[];
  gained: Record<string, number>;
  lost: Record<string, number>;
  subscribers: Record<string, number>;
}

export interface Supporter {
  id: string | null;
  name: string | null;
  spent_minor: number;
  sales: number;
  last_at: string;
}

export interface StreamFigures {
  stream: {
    id: string;
    title: string;
    started_at: string;
    ended_at: string | null;
    peak_viewers: number | null;
    average_viewers: number | null;
    messages: number | null;
  };
  revenue: Revenue[];
  new_subscribers: number;
}

export interface Payout {
  id: string;
  amount_minor: number;
  currency: string;
  state: "asked" | "sent" | "failed" | "returned";
  asked_by: "creator" | "schedule" | "admin";
  asked_at: string;
  sent_at: string | null;
  failed_at: string | null;
  returned_at: string | null;
  failure: string | null;
  failure_words: string | null;
}

export interface PayoutPage {
  payouts: Payout[];
  next_cursor: string | null;
}

/** Days of a time zone, both included: "2026-05-01". */
export interface Span {
  from: string;
  to: string;
  zone: string;
}

const asked = ({ from, to, zone }: Span) => `from=${from}&to=${to}&time_zone=${encodeURIComponent(zone)}`;

export const fetchEarnings = (signal?: Signal) => call<Overview>("/earnings", { signal });
export const fetchDays = (span: Span, signal?: Signal) => call<{ time_zone: string; days: Day[] }>(`/earnings/days?${asked(span)}`, { signal });
export const fetchSupporters = (span: Span, currency: string, signal?: Signal) =>
  call<{ currency: string; supporters: Supporter[] }>(`/earnings/supporters?${asked(span)}&currency=${currency}&limit=10`, { signal });
export const fetchStreamFigures = (span: Span, signal?: Signal) => call<{ streams: StreamFigures[] }>(`/earnings/streams?${asked(span)}&limit=50`, { signal });
export const fetchStatements = (signal?: Signal) => call<{ months: string[]; currencies: string[] }>("/earnings/statements", { signal });
export const statementAddress = (month: string, format: "csv" | "pdf", currency: string) => `/api/v1/earnings/statements/${month}.${format}?currency=${currency}`;

/** All that is available in this currency. The same `key` is the same payout. */
export const askForPayout = (currency: string, key: string) => call<Payout>("/payouts", { method: "POST", body: { currency }, headers: { "idempotency-key": key } });
export const fetchPayouts = (cursor: string | null, signal?: Signal) => call<PayoutPage>(`/payouts?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, { signal });
export const beginOnboarding = (country: string) => call<{ url: string; expires_at: number }>("/payouts/account", { method: "POST", body: { country } });
export const refreshAccount = () => call<PayoutAccount>("/payouts/account/refresh", { method: "POST" });
export const changeSchedule = (schedule: Schedule) => call<PayoutAccount>("/payouts/account", { method: "PATCH", body: { schedule } });
