/** Which days are shown: the last so many, or two days that somebody chose. Days are "2026-05-01". Pure. */
import type { Span } from "../api/earnings";

export const LENGTHS = [7, 28, 90] as const;
/** As much as the server tells at once. */
export const MOST_DAYS = 400;
const USUAL = 28;
const DAY_MS = 86_400_000;

export type Period = { days: number } | { from: string; to: string };

const utc = (date: string) => Date.parse(`${date}T00:00:00Z`);
const isDay = (text: string | null): text is string => text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(utc(text));

/** The day it is in this browser. */
export const today = (now = new Date()) => [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");

export const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export const plusDays = (date: string, days: number) => new Date(utc(date) + days * DAY_MS).toISOString().slice(0, 10);

/** What is wrong with two days; null for nothing. */
export function spanProblem(from: string, to: string): string | null {
  if (!isDay(from) || !isDay(to)) return "Choose both days.";
  if (from > to) return "The first day must not be after the last.";
  return (utc(to) - utc(from)) / DAY_MS > MOST_DAYS ? `At most ${MOST_DAYS} days fit.` : null;
}

/** From the page's address; what makes no sense there is the usual. */
export function periodOf(search: URLSearchParams): Period {
  const [from, to] = [search.get("from"), search.get("to")];
  if (isDay(from) && isDay(to) && spanProblem(from, to) === null) return { from, to };
  const days = Number(search.get("days"));
  return { days: LENGTHS.find((length) => length === days) ?? USUAL };
}

export function spanOf(period: Period, now: string, zone: string): Span {
  return "days" in period ? { from: plusDays(now, 1 - period.days), to: now, zone } : { ...period, zone };
}
