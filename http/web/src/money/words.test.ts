import { beforeEach, describe, expect, test } from "vitest";
import { ApiError } from "../api/errors";
import type { Given, Order, Plan, Shelf, Subscription } from "../api/payments";
import { fieldOf, lengthWords, minorOf, price, savedPercent } from "./amounts";
import { refusedWords } from "./ChangePlan";
import { wanted } from "./GiftDialog";
import { lasting } from "./GiftsReceived";
import { levelOf, onTopSeconds, tierWords } from "./levels";
import { amountWords, isAboutText } from "./PaidMessageDialog";
import { asksAgain, pauseMs, stageOf, type Stage } from "./returning";
import { changeWords, runningFor, standingOf } from "./standing";
import { troubleWords } from "./Trouble";
import { recallWish, rememberWish } from "./wish";

const en = { locale: "en" };

describe("amounts", () => {
  test("are formatted by their currency, which knows its minor unit", () => {
    expect(price(499, "eur", en)).toBe("€4.99");
    expect(price(1200, "usd", en)).toBe("$12.00");
    expect(price(500, "jpy", en)).toBe("¥500");
    expect(price(1000, "eur", { ...en, short: true })).toBe("€10");
    expect(price(1050, "eur", { ...en, short: true })).toBe("€10.50");
  });

  test.each([["5", 500], ["7.5", 750], ["7,50", 750], [" 12 ", 1200], ["0.29", 29], ["5.", 500], ["", null], ["1.234", null], ["-5", null], ["5 €", null], ["1e3", null]])("%j typed is %s", (text, minor) => {
    expect(minorOf(text, "eur")).toBe(minor);
  });

  test("a currency without cents takes none", () => {
    expect([minorOf("500", "jpy"), minorOf("5.5", "jpy"), fieldOf(500, "jpy")]).toEqual([500, null, "500"]);
    expect([fieldOf(1000, "eur"), fieldOf(1050, "eur")]).toEqual(["10", "10.50"]);
  });

  test("lengths and savings are whole", () => {
    expect([30, 60, 120, 600].map(lengthWords)).toEqual(["30 seconds", "1 minute", "2 minutes", "10 minutes"]);
    expect(savedPercent(499, 4990)).toBe(16);
    expect(savedPercent(499, 5988)).toBe(null);
  });
});

const NOW = Date.parse("2026-11-23T12:00:00Z");
const sub = (more: Partial<Subscription> = {}): Subscription => ({
  id: "s", plan_id: "premium-monthly", creator_id: null, status: "active", amount_minor: 499, currency: "eur",
  current_period_start: "2026-11-10T12:00:00Z", current_period_end: "2026-12-10T12:00:00Z", cancel_at_period_end: false,
  trial_end: null, grace_until: null, ended_at: null, created_at: "2026-11-10T12:00:00Z", ...more,
});
const standing = (more: Partial<Subscription>) => standingOf(sub(more), NOW, "en");

describe("a subscription in words", () => {
  test("renews", () => expect(standing({})).toEqual({ kind: "renews", badge: "Active", words: "Renews on December 10, 2026 for €4.99.", may: { cancel: true, resume: false, change: true } }));

  test("canceled: kept until then, and may be taken back", () => {
    const ends = standing({ status: "canceled", cancel_at_period_end: true });
    expect(ends.words).toBe("Ends on December 10, 2026. You keep it until then, and nothing more is charged.");
    expect(ends.may).toEqual({ cancel: false, resume: true, change: false });
  });

  test("a failed card says until when one has it still", () => {
    expect(standing({ grace_until: "2026-11-29T12:00:00Z" })).toMatchObject({ kind: "owed", words: expect.stringContaining("until November 29, 2026") });
    expect(standing({ grace_until: "2026-11-20T12:00:00Z" }).words).toContain("paused");
  });

  test("a trial says when it costs what", () => expect(standing({ trial_end: "2026-11-30T12:00:00Z" }).words).toBe("Free until November 30, 2026, then €4.99."));

  test("over: nothing can be done with it", () => {
    expect(standing({ status: "expired", ended_at: "2026-11-12T12:00:00Z" })).toEqual({ kind: "over", badge: "Over", words: "Ended on November 12, 2026.", may: { cancel: false, resume: false, change: false } });
  });

  test("the one that runs is found by its channel", () => {
    const all = [sub({ id: "old", status: "expired" }), sub({ id: "a", creator_id: "ada" }), sub({ id: "p" })];
    expect(runningFor(all, null)?.id).toBe("p");
    expect(runningFor(all, "ada")?.id).toBe("a");
    expect(runningFor(all, "bo")).toBe(null);
    expect(runningFor(null, null)).toBe(null);
  });

  test("a change says what is due, or credited", () => {
    expect(changeWords(1200, "eur", "en")).toContain("Due now: €12.00");
    expect(changeWords(-300, "eur", "en")).toContain("€3.00 is credited");
    expect(changeWords(0, "eur", "en")).toBe("Nothing is due now.");
  });
});

const order = (more: Partial<Order> = {}): Order => ({ id: "o", kind: "subscription", state: "open", plan_id: "premium-monthly", creator_id: null, quantity: 1, amount_minor: 499, currency: "eur", created_at: "", expires_at: "", url: "https://pay.test/o", ...more });
const at = (more: Partial<Parameters<typeof stageOf>[0]>): Stage => stageOf({ order: null, error: null, left: false, asked: 1, ...more });
const refusal = (status: number, code = "x") => new ApiError(status, { code, message: "No." });

describe("the page one returns to", () => {
  test("what the order says comes first, also for who left", () => {
    for (const state of ["paid", "expired", "canceled", "refunded"] as const) {
      expect(at({ order: order({ state }), left: true })).toBe(state);
      expect(asksAgain(state)).toBe(false);
    }
  });

  test("an open order is waited for, then said to be open; who left is told so at once", () => {
    expect(at({ order: order() })).toBe("waiting");
    expect(at({ order: order(), asked: 6 })).toBe("open");
    expect(at({ order: order({ url: null }), asked: 6 })).toBe("slow");
    expect(at({ order: order(), left: true })).toBe("left");
    expect(["waiting", "open", "slow", "left", "unreachable"].every((stage) => asksAgain(stage as Stage))).toBe(true);
  });

  test("no answer is not 'no such order', and what is known stays when an answer fails", () => {
    expect(at({})).toBe("looking");
    expect(at({ error: refusal(404) })).toBe("unknown");
    expect(at({ error: refusal(0) })).toBe("unreachable");
    expect(at({ error: refusal(503) })).toBe("unreachable");
    expect(at({ error: refusal(0), order: order({ state: "paid" }) })).toBe("paid");
  });

  test("the pauses grow to a quarter of a minute", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 8].map(pauseMs);
    expect(pauses[0]).toBe(1000);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBe(15_000);
  });
});

const shelf: Shelf = { plans: [], currency: "eur", gifts_at_once: 100, message_max_minor: 50_000, message_steps: [[200, 0], [500, 30], [1000, 60], [10_000, 600]].map(([amount_minor, on_top_seconds]) => ({ amount_minor: amount_minor!, on_top_seconds: on_top_seconds! })) };
const tier = (level: number, amount_minor: number): Plan => ({ id: `channel-${level}`, name: "", scope: "channel", level, interval: "month", amount_minor, currency: "eur" });

describe("paid messages", () => {
  test("an amount decides the time on top", () => {
    expect([199, 200, 499, 500, 1000, 50_000, 50_001].map((amount) => onTopSeconds(amount, shelf))).toEqual([null, 0, 0, 30, 60, 600, null]);
    expect([0, 30, 60, 120, 300, 600].map((pin_seconds) => levelOf({ pin_seconds }))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("what is wrong with an amount is said before anything is paid", () => {
    expect(amountWords(null, shelf)).toContain("Write an amount");
    expect(amountWords(100, shelf)).toMatch(/smallest amount is .*2/);
    expect(amountWords(60_000, shelf)).toMatch(/largest amount is .*500/);
    expect(amountWords(200, shelf)).toBe(null);
  });

  test("a refusal of the text stands beside the text", () => {
    expect(["chat.blocked", "chat.text_invalid", "payment.messages_off", "payment.stream_over"].every(isAboutText)).toBe(true);
    expect(isAboutText("payment.stripe")).toBe(false);
  });
});

describe("gifts and tiers", () => {
  const gift = { plan: tier(2, 999), channel: { id: "c", name: "Ada" }, streamId: "s", quantity: 5, name: "Bo" };
  test("to the room so many, to a person one, and the room hears of both", () => {
    expect(wanted({ ...gift, room: true })).toEqual({ plan_id: "channel-2", creator_id: "c", stream_id: "s", quantity: 5 });
    expect(wanted({ ...gift, room: false })).toEqual({ plan_id: "channel-2", creator_id: "c", stream_id: "s", recipient_name: "Bo" });
    expect(wanted({ ...gift, room: false, streamId: null })).not.toHaveProperty("stream_id");
  });

  test("of gifts one got those are shown that last, also when their turn comes later", () => {
    const given = (id: string, more: Partial<Given>): Given => ({ id, plan_id: "channel-1", creator_id: "c", months: 1, state: "taken", starts_at: "2026-11-01T00:00:00Z", until: "2026-12-01T00:00:00Z", ...more });
    const gifts = [given("now", {}), given("next", { starts_at: "2026-12-01T00:00:00Z", until: "2027-01-01T00:00:00Z" }), given("over", { until: "2026-11-20T00:00:00Z" }), given("back", { state: "withdrawn" }), given("none", { until: null })];
    expect(lasting(gifts, NOW).map((gift) => gift.id)).toEqual(["now", "next"]);
  });

  test("higher tiers say how much more they are", () => {
    expect(tierWords(tier(1, 499), tier(1, 499))).toHaveLength(3);
    expect(tierWords(tier(3, 2499), tier(1, 499)).at(-1)).toBe("5 times the support for the creator");
  });
});

describe("when it does not work", () => {
  test("it is said that nothing was charged", () => {
    for (const error of [refusal(503, "payment.stripe"), refusal(0, "network.offline"), refusal(500, "internal")]) expect(troubleWords(error)).toContain("Nothing was charged");
    expect(troubleWords(refusal(409, "payment.already_subscribed"))).toBe("No.");
    expect(refusedWords(refusal(409, "payment.refused"))).toContain("nothing has changed and nothing was taken");
  });
});

describe("the way back", () => {
  const store = new Map<string, string>();
  beforeEach(() => {
    store.clear();
    globalThis.sessionStorage = {
      getItem: (key: string) => store.get(key) ?? null, setItem: (key: string, value: string) => void store.set(key, value),
    } as unknown as Storage;
  });
  test("is kept for its order, and never leads off the site", () => {
    rememberWish("o1", { path: "/video/1", name: "the video" });
    expect(recallWish("o1")).toEqual({ path: "/video/1", name: "the video" });
    expect(recallWish("o2")).toBe(null);
    rememberWish("o3", { path: "//evil.test/", name: "x" });
    expect(recallWish("o3")).toBe(null);
  });
});
