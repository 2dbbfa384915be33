/** What the page says of accounts, balances and payouts. Pure. */
import type { Balance, Overview, Payout, Schedule } from "../api/earnings";
import { day, price } from "../money/amounts";

export const PAYOUT_WORDS: Record<Payout["state"], string> = { asked: "On its way", sent: "Paid", failed: "Failed", returned: "Came back" };

const ASKED_BY: Record<Payout["asked_by"], string> = { creator: "You asked for it", schedule: "By your schedule", admin: "Begun by support" };

/** What became of a payout, and what it means for the money. */
export function payoutWords(payout: Payout, locale?: string): string {
  const { state, sent_at, failure_words, returned_at } = payout;
  const began = `${ASKED_BY[payout.asked_by]} on ${day(payout.asked_at, locale)}.`;
  if (state === "asked") return `${began} Stripe is being asked to send it.`;
  if (state === "sent") return `${began} It left us${sent_at ? ` on ${day(sent_at, locale)}` : ""}; banks take one to three working days.`;
  if (state === "failed") return `${began} ${failure_words ?? "Stripe did not accept it. The money is available again."}`;
  return `${began} It came back${returned_at ? ` on ${day(returned_at, locale)}` : ""}. The money is available again: look at your details at Stripe, then ask once more.`;
}

export const SCHEDULES: [Schedule, string, string][] = [
  ["manual", "Only when I ask", "Nothing is paid out by itself."],
  ["weekly", "Every week", "Every Monday, all that is available."],
  ["monthly", "Every month", "On the first, all that is available."],
];

/** Stripe's names of what is missing, by how they begin. */
const REQUIREMENTS: [RegExp, string][] = [
  [/^external_account/, "The bank account your earnings go to"],
  [/^tos_acceptance/, "Your agreement to Stripe's terms"],
  [/^business_(profile|type)/, "What you do, and as what kind of business"],
  [/verification/, "A document that shows who you are"],
  [/\.(dob|id_number|ssn_last_4)/, "Your date of birth or tax number"],
  [/\.address|\.registered_address/, "Your address"],
  [/\.(email|phone)/, "How to reach you"],
  [/\.(first_name|last_name|name)/, "Your name"],
];

/** What Stripe wants to know, each said once. */
export function requirementWords(codes: string[]): string[] {
  return [...new Set(codes.map((code) => REQUIREMENTS.find(([pattern]) => pattern.test(code))?.[1] ?? code.replaceAll(/[._]/g, " ")))];
}

export const emptyBalance = (currency: string): Balance => ({ currency, pending_minor: 0, available_minor: 0, reserve_minor: 0, transit_minor: 0, paid_minor: 0 });

export const balanceIn = ({ balances }: Pick<Overview, "balances">, currency: string): Balance => balances.find((one) => one.currency === currency) ?? emptyBalance(currency);

/** The platform's own first, then whatever else was earned in. */
export const currenciesOf = ({ balances, currency }: Pick<Overview, "balances" | "currency">): string[] => {
  const others = balances.map((one) => one.currency);
  return others.length === 0 ? [currency] : [...others].sort((a, b) => Number(b === currency) - Number(a === currency) || a.localeCompare(b));
};

/** Why nothing can be paid out now; null when it can. */
export function payoutProblem({ account, minimum_minor }: Pick<Overview, "account" | "minimum_minor">, balance: Balance, locale?: string): string | null {
  if (account.state === "frozen") return "Payouts of your account are stopped. Write to support.";
  if (account.state === "none") return "Set up where your earnings go first.";
  if (account.state === "incomplete") return "Stripe needs more from you before it can pay you.";
  if (balance.transit_minor > 0) return "A payout is on its way already. When it has left us, you can ask for the next one.";
  if (balance.available_minor < minimum_minor) return `Payouts begin at ${price(minimum_minor, balance.currency, { locale })} available.`;
  return null;
}
