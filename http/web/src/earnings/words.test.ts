import { describe, expect, test } from "vitest";
import { ApiError } from "../api/errors";
import type { Overview, Payout } from "../api/earnings";
import { refusalWords } from "./PayoutDialog";
import { balanceIn, currenciesOf, emptyBalance, payoutProblem, payoutWords, requirementWords } from "./words";

const payout = (more: Partial<Payout>): Payout => ({ id: "p", amount_minor: 2500, currency: "eur", state: "asked", asked_by: "creator", asked_at: "2026-11-10T12:00:00Z", sent_at: null, failed_at: null, returned_at: null, failure: null, failure_words: null, ...more });

describe("payouts in words", () => {
  const words = (more: Partial<Payout>) => payoutWords(payout(more), "en");
  test("say who began, where it is, and what became of the money", () => {
    expect(words({})).toBe("You asked for it on November 10, 2026. Stripe is being asked to send it.");
    expect(words({ state: "sent", sent_at: "2026-11-11T12:00:00Z", asked_by: "schedule" })).toBe("By your schedule on November 10, 2026. It left us on November 11, 2026; banks take one to three working days.");
    expect(words({ state: "failed", failure: "balance_insufficient", failure_words: "Ask once more." })).toContain("Ask once more.");
    expect(words({ state: "failed" })).toContain("available again");
    expect(words({ state: "returned", returned_at: "2026-11-12T12:00:00Z", asked_by: "admin" })).toMatch(/^Begun by support .* came back on November 12, 2026\. The money is available again/);
  });
});

describe("whether a payout can be asked for", () => {
  const account = { state: "ready", country: "DE", requirements: [], schedule: "manual", schedule_words: "", next_payout_at: null, next_payout_words: null } as const;
  const overview = { account, minimum_minor: 2000 } as unknown as Overview;
  const why = (more: object, state: Overview["account"]["state"] = "ready") => payoutProblem({ ...overview, account: { ...overview.account, state } }, { ...emptyBalance("eur"), ...more }, "en");
  test("from the smallest amount on, when nothing is on its way and the account is ready", () => {
    expect(why({ available_minor: 2000 })).toBe(null);
    expect(why({ available_minor: 1999 })).toBe("Payouts begin at €20.00 available.");
    expect(why({ available_minor: 9000, transit_minor: 100 })).toContain("on its way already");
    expect(why({ available_minor: 9000 }, "none")).toContain("Set up");
    expect(why({ available_minor: 9000 }, "incomplete")).toContain("Stripe needs more");
    expect(why({ available_minor: 9000 }, "frozen")).toContain("stopped");
  });

  test("a refusal says what is there now, and that trying again is safe where no answer came", () => {
    const refused = (status: number, code: string, details = {}) => new ApiError(status, { code, message: "No.", details });
    expect(refusalWords(refused(409, "payment.payout_too_small", { available: 1500 }), "eur", "en")).toBe("No. €15.00 is available now.");
    expect(refusalWords(refused(0, "network.offline"), "eur")).toContain("paid out once");
    expect(refusalWords(refused(503, "payment.stripe"), "eur")).toContain("paid out once");
    expect(refusalWords(refused(409, "payment.payout_under_way"), "eur")).toBe("No.");
  });
});

test("what Stripe asks for is said once each, and what is new is said by its name", () => {
  expect(requirementWords(["external_account", "individual.verification.document", "individual.verification.additional_document", "individual.dob.day", "individual.dob.year", "relationship.owner"]))
    .toEqual(["The bank account your earnings go to", "A document that shows who you are", "Your date of birth or tax number", "relationship owner"]);
});

test("the platform's currency comes first, and who earned nothing has a balance of nothing", () => {
  const balances = ["chf", "usd", "eur"].map(emptyBalance);
  expect(currenciesOf({ balances, currency: "eur" })).toEqual(["eur", "chf", "usd"]);
  expect(currenciesOf({ balances: [], currency: "eur" })).toEqual(["eur"]);
  expect(currenciesOf({ balances: [emptyBalance("usd")], currency: "eur" })).toEqual(["usd"]);
  expect(balanceIn({ balances }, "sek").available_minor).toBe(0);
});
