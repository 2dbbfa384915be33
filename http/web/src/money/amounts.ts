/** Money in words and back. Amounts are minor units: cents, or whole yen. Pure. */

export const digitsOf = (currency: string) =>
  new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;

/** 499 "eur" -> "€4.99"; whole amounts without cents when `short`. */
export function price(minor: number, currency: string, { short = false, locale = undefined as string | undefined } = {}): string {
  const code = currency.toUpperCase();
  const digits = digitsOf(code);
  const whole = short && minor % 10 ** digits === 0;
  return new Intl.NumberFormat(locale, { style: "currency", currency: code, ...(whole ? { minimumFractionDigits: 0, maximumFractionDigits: 0 } : {}) }).format(minor / 10 ** digits);
}

/** "12", "12.5", "12,50" -> minor units; null for what is no amount, or finer than the currency. */
export function minorOf(text: string, currency: string): number | null {
  const digits = digitsOf(currency.toUpperCase());
  const found = /^\s*(\d{1,9})(?:[.,](\d*))?\s*$/.exec(text);
  if (!found) return null;
  const part = found[2] ?? "";
  if (part.length > digits) return null;
  return Number(found[1]) * 10 ** digits + Number(part.padEnd(digits, "0") || 0);
}

/** 1000 -> "10", 1050 -> "10.50": what stands in a field. */
export function fieldOf(minor: number, currency: string): string {
  const digits = digitsOf(currency.toUpperCase());
  const text = (minor / 10 ** digits).toFixed(digits);
  return Number(text) % 1 === 0 ? String(Number(text)) : text;
}

/** 0 -> "not on top", 30 -> "30 seconds", 60 -> "1 minute". */
export function lengthWords(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  const minutes = Math.round(seconds / 60);
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}

export const INTERVALS = { month: "a month", year: "a year" } as const;

/** How much less a year costs than twelve months, in whole percent; null when nothing is saved. */
export function savedPercent(monthlyMinor: number, yearlyMinor: number): number | null {
  const saved = Math.floor(100 - (yearlyMinor * 100) / (monthlyMinor * 12));
  return saved > 0 ? saved : null;
}

/** For tables: "Nov 10, 2026". */
export const shortDay = (iso: string, locale?: string) => new Date(iso).toLocaleDateString(locale, { dateStyle: "medium" });

export const day = (iso: string, locale?: string) => new Date(iso).toLocaleDateString(locale, { dateStyle: "long" });
