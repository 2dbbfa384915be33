/** The figures of days as the chart, the table and the file want them. Amounts are minor units. Pure. */
import type { Day, Revenue, Source } from "../api/earnings";
import { digitsOf, price } from "../money/amounts";

/** From the bottom of a bar to its top. */
export const SOURCES: Source[] = ["subscription", "gift", "paid_message", "premium"];
export const SOURCE_WORDS: Record<Source, string> = { subscription: "Subscriptions", gift: "Gifts", paid_message: "Paid messages", premium: "Premium" };
export const LEVELS = ["1", "2", "3"];
export const levelWords = (level: string) => `Tier ${level}`;

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
export const countOf = (byLevel: Record<string, number>) => sum(Object.values(byLevel));

const of = (revenue: Revenue[], currency: string) => revenue.filter((one) => one.currency === currency);
export const earnedBy = (revenue: Revenue[], currency: string, source: Source) => sum(of(revenue, currency).filter((one) => one.source === source).map((one) => one.earned_minor));
export const earned = (revenue: Revenue[], currency: string) => sum(of(revenue, currency).map((one) => one.earned_minor));
export const returned = (revenue: Revenue[], currency: string) => sum(of(revenue, currency).map((one) => one.returned_minor));
export const salesIn = (revenue: Revenue[], currency: string) => sum(of(revenue, currency).map((one) => one.sales));
export const net = (revenue: Revenue[], currency: string) => earned(revenue, currency) - returned(revenue, currency);

/** Those that brought something, and the three that always may. */
export const sourcesIn = (days: Day[], currency: string): Source[] =>
  SOURCES.filter((source) => source !== "premium" || days.some((day) => earnedBy(day.revenue, currency, source) !== 0));

export const levelsIn = (days: Day[]): string[] =>
  LEVELS.filter((level) => level === "1" || days.some((day) => [day.gained, day.lost, day.subscribers].some((counts) => counts[level])));

export interface Totals {
  earned_minor: number;
  returned_minor: number;
  net_minor: number;
  sales: number;
  gained: number;
  lost: number;
  /** When the last of the days ended, or now. */
  subscribers: number;
}

export function totals(days: Day[], currency: string): Totals {
  const revenue = days.flatMap((day) => day.revenue);
  const last = days.at(-1);
  return {
    earned_minor: earned(revenue, currency),
    returned_minor: returned(revenue, currency),
    net_minor: net(revenue, currency),
    sales: salesIn(revenue, currency),
    gained: sum(days.map((day) => countOf(day.gained))),
    lost: sum(days.map((day) => countOf(day.lost))),
    subscribers: last ? countOf(last.subscribers) : 0,
  };
}

export const isEmpty = (days: Day[], currency: string) => {
  const all = totals(days, currency);
  return all.earned_minor === 0 && all.returned_minor === 0 && all.gained === 0 && all.lost === 0;
};

/** Running sums: each row is what its source and all below it brought. `below` is what went, as negative numbers. */
export interface Stack {
  above: number[][];
  below: number[][];
}

export function stacked(rows: number[][]): number[][] {
  const sums: number[][] = [];
  for (const row of rows) sums.push(row.map((value, place) => value + (sums.at(-1)?.[place] ?? 0)));
  return sums;
}

export function revenueStack(days: Day[], currency: string): Stack {
  const unit = 10 ** digitsOf(currency);
  return {
    above: stacked(sourcesIn(days, currency).map((source) => days.map((day) => earnedBy(day.revenue, currency, source) / unit))),
    below: [days.map((day) => 0 - returned(day.revenue, currency) / unit)],
  };
}

export function subscriberStack(days: Day[]): Stack {
  const levels = levelsIn(days);
  return {
    above: stacked(levels.map((level) => days.map((day) => day.gained[level] ?? 0))),
    below: stacked(levels.map((level) => days.map((day) => 0 - (day.lost[level] ?? 0)))),
  };
}

/** "2026-05-01" as the day it is here, whatever the zone. */
export function dayName(date: string, style: "long" | "short" = "long", locale?: string): string {
  const [year, month, day] = date.split("-").map(Number);
  const at = new Date(year!, month! - 1, day);
  return at.toLocaleDateString(locale, style === "long" ? { dateStyle: "full" } : { month: "short", day: "numeric" });
}

export function monthName(month: string, locale?: string): string {
  const [year, number] = month.split("-").map(Number);
  return new Date(year!, number! - 1, 1).toLocaleDateString(locale, { month: "long", year: "numeric" });
}

const byLevelWords = (counts: Record<string, number>) => {
  const some = LEVELS.filter((level) => counts[level]);
  return some.length ? ` (${some.map((level) => `${counts[level]} of ${levelWords(level).toLowerCase()}`).join(", ")})` : "";
};

/** One day as a sentence, for who hears the chart. */
export function dayInWords(day: Day, currency: string, locale?: string): string {
  const said = (minor: number) => price(minor, currency, { locale });
  const back = returned(day.revenue, currency);
  const parts = SOURCES.map((source) => [source, earnedBy(day.revenue, currency, source)] as const).filter(([, minor]) => minor !== 0);
  const [gained, lost] = [countOf(day.gained), countOf(day.lost)];
  return [
    dayName(day.date, "long", locale),
    parts.length ? `${said(earned(day.revenue, currency))} earned` : "nothing earned",
    ...parts.map(([source, minor]) => `${said(minor)} from ${SOURCE_WORDS[source].toLowerCase()}`),
    ...(back ? [`${said(back)} given back`] : []),
    ...(gained ? [`${gained} new ${gained === 1 ? "subscriber" : "subscribers"}${byLevelWords(day.gained)}`] : []),
    ...(lost ? [`${lost} lost${byLevelWords(day.lost)}`] : []),
    `${countOf(day.subscribers)} ${countOf(day.subscribers) === 1 ? "subscriber" : "subscribers"} in all`,
  ].join(", ");
}

/** Where a key moves the cursor; null for a key that is not about it. */
export function cursorAfter(key: string, place: number, count: number): number | null {
  const steps: Record<string, number> = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1, PageDown: place - 7, PageUp: place + 7, Home: 0, End: count - 1 };
  const wanted = steps[key];
  return wanted === undefined || count === 0 ? null : Math.min(count - 1, Math.max(0, wanted));
}

/** Days as a file (RFC 4180): amounts in whole units with a point, as spreadsheets want them. */
export function csvOf(days: Day[], currency: string): string {
  const digits = digitsOf(currency);
  const units = (minor: number) => (minor / 10 ** digits).toFixed(digits);
  const sources = sourcesIn(days, currency);
  const levels = levelsIn(days);
  const head = ["date", "currency", ...sources, "given_back", "total", ...["gained", "lost", "subscribers"].flatMap((what) => levels.map((level) => `${what}_tier_${level}`))];
  const rows = days.map((day) => [
    day.date, currency.toUpperCase(), ...sources.map((source) => units(earnedBy(day.revenue, currency, source))),
    units(returned(day.revenue, currency)), units(net(day.revenue, currency)),
    ...[day.gained, day.lost, day.subscribers].flatMap((counts) => levels.map((level) => counts[level] ?? 0)),
  ]);
  return [head, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}
