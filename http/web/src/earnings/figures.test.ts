import { describe, expect, test } from "vitest";
import type { Day, Revenue, Source } from "../api/earnings";
import { heightsOf, ticksOf } from "./chart";
import { countries, likelyCountry } from "./countries";
import { csvOf, cursorAfter, dayInWords, dayName, isEmpty, levelsIn, monthName, net, revenueStack, sourcesIn, stacked, subscriberStack, totals } from "./figures";
import { periodOf, plusDays, spanOf, spanProblem, today } from "./period";

const sold = (source: Source, earned_minor: number, more: Partial<Revenue> = {}): Revenue => ({ source, currency: "eur", earned_minor, returned_minor: 0, sales: 1, ...more });
const day = (date: string, more: Partial<Day> = {}): Day => ({ date, revenue: [], gained: {}, lost: {}, subscribers: {}, ...more });
const DAYS = [
  day("2026-11-21", { revenue: [sold("subscription", 700), sold("gift", 300)], gained: { 1: 1, 2: 1 }, subscribers: { 1: 1, 2: 1 } }),
  day("2026-11-22", { subscribers: { 1: 1, 2: 1 } }),
  day("2026-11-23", { revenue: [sold("paid_message", 400, { sales: 2 }), sold("subscription", 0, { returned_minor: 700, sales: 0 }), sold("gift", 900, { currency: "usd" })], lost: { 2: 1 }, subscribers: { 1: 1 } }),
];

describe("the figures of days", () => {
  test("are of one currency, and what was given back is taken off", () => {
    expect(totals(DAYS, "eur")).toEqual({ earned_minor: 1400, returned_minor: 700, net_minor: 700, sales: 4, gained: 2, lost: 1, subscribers: 1 });
    expect(net(DAYS[2]!.revenue, "usd")).toBe(900);
    expect(totals([], "eur").subscribers).toBe(0);
    expect(isEmpty(DAYS, "eur")).toBe(false);
    expect(isEmpty([day("2026-11-23", { subscribers: { 1: 4 } })], "eur")).toBe(true);
  });

  test("stand on each other; what went is below the line", () => {
    expect(stacked([[1, 2], [3, 4]])).toEqual([[1, 2], [4, 6]]);
    expect(sourcesIn(DAYS, "eur")).toEqual(["subscription", "gift", "paid_message"]);
    expect(revenueStack(DAYS, "eur")).toEqual({ above: [[7, 0, 0], [10, 0, 0], [10, 0, 4]], below: [[0, 0, -7]] });
    expect(levelsIn(DAYS)).toEqual(["1", "2"]);
    expect(subscriberStack(DAYS)).toEqual({ above: [[1, 0, 0], [2, 0, 0]], below: [[0, 0, 0], [0, 0, -1]] });
  });

  test("a currency without cents is drawn in whole units", () => {
    expect(revenueStack([day("2026-11-23", { revenue: [sold("gift", 500, { currency: "jpy" })] })], "jpy").above[1]).toEqual([500]);
  });

  test("premium is shown only where it brought something", () => {
    expect(sourcesIn([day("2026-11-23", { revenue: [sold("premium", 5)] })], "eur")).toContain("premium");
  });

  test("a day is said as a sentence", () => {
    expect(dayInWords(DAYS[0]!, "eur", "en")).toBe("Saturday, November 21, 2026, €10.00 earned, €7.00 from subscriptions, €3.00 from gifts, 2 new subscribers (1 of tier 1, 1 of tier 2), 2 subscribers in all");
    expect(dayInWords(DAYS[2]!, "eur", "en")).toContain("€4.00 earned, €4.00 from paid messages, €7.00 given back, 1 lost (1 of tier 2), 1 subscriber in all");
    expect(dayInWords(DAYS[1]!, "eur", "en")).toContain("nothing earned");
  });

  test("a day's name is that day in every zone", () => {
    expect(dayName("2026-01-01", "short", "en")).toBe("Jan 1");
    expect(monthName("2026-12", "en")).toBe("December 2026");
  });

  test("keys walk over the days, a week at a time with the page keys, and stop at the ends", () => {
    expect(["ArrowRight", "ArrowLeft", "PageUp", "PageDown", "Home", "End"].map((key) => cursorAfter(key, 10, 28))).toEqual([11, 9, 17, 3, 0, 27]);
    expect([cursorAfter("ArrowRight", 27, 28), cursorAfter("ArrowLeft", 0, 28), cursorAfter("a", 3, 28), cursorAfter("End", 0, 0)]).toEqual([27, 0, null, null]);
  });

  test("the file has every day, in whole units with a point", () => {
    expect(csvOf(DAYS, "eur").split("\r\n")).toEqual([
      "date,currency,subscription,gift,paid_message,given_back,total,gained_tier_1,gained_tier_2,lost_tier_1,lost_tier_2,subscribers_tier_1,subscribers_tier_2",
      "2026-11-21,EUR,7.00,3.00,0.00,0.00,10.00,1,1,0,0,1,1",
      "2026-11-22,EUR,0.00,0.00,0.00,0.00,0.00,0,0,0,0,1,1",
      "2026-11-23,EUR,0.00,0.00,4.00,7.00,-3.00,0,0,0,1,1,0",
      "",
    ]);
    expect(csvOf([day("2026-11-23", { revenue: [sold("gift", 500, { currency: "jpy" })] })], "jpy")).toContain("JPY,0,500,0,0,500");
  });
});

describe("the axis", () => {
  test("begins at zero, and goes below it only for what went", () => {
    expect(heightsOf({ above: [[3, 9]], below: [[0, 0]] })).toEqual([0, 20]);
    expect(heightsOf({ above: [[3, 9]], below: [[0, -9]] })).toEqual([-20, 20]);
    expect(heightsOf({ above: [], below: [] })).toEqual([0, 4]);
  });

  test("words that would touch are left out", () => {
    expect(ticksOf([0, 20])).toEqual([0, 10, 20]);
    expect(ticksOf([-20, 20])).toEqual([-20, 0, 10, 20]);
    expect(ticksOf([-4, 200])).toEqual([0, 100, 200]);
  });
});

describe("the days shown", () => {
  const period = (search: string) => periodOf(new URLSearchParams(search));
  test("come from the address; what makes no sense there is the usual", () => {
    expect([period("days=7"), period(""), period("days=12"), period("days=x")]).toEqual([{ days: 7 }, { days: 28 }, { days: 28 }, { days: 28 }]);
    expect(period("from=2026-11-01&to=2026-11-05")).toEqual({ from: "2026-11-01", to: "2026-11-05" });
    expect(period("from=2026-11-05&to=2026-11-01")).toEqual({ days: 28 });
    expect(period("from=2026-13-05&to=2026-13-09")).toEqual({ days: 28 });
  });

  test("today is the last of them", () => {
    expect(spanOf({ days: 7 }, "2026-03-02", "Europe/Berlin")).toEqual({ from: "2026-02-24", to: "2026-03-02", zone: "Europe/Berlin" });
    expect(spanOf({ from: "2026-01-01", to: "2026-01-02" }, "2026-03-02", "UTC")).toEqual({ from: "2026-01-01", to: "2026-01-02", zone: "UTC" });
    expect(today(new Date(2026, 0, 5, 23, 59))).toBe("2026-01-05");
    expect(plusDays("2024-02-28", 1)).toBe("2024-02-29");
  });

  test("what is wrong with two days is said", () => {
    expect(spanProblem("2026-01-02", "2026-01-01")).toContain("after");
    expect(spanProblem("", "2026-01-01")).toContain("both");
    expect(spanProblem("2024-01-01", "2026-01-01")).toContain("400");
    expect(spanProblem("2025-01-01", "2026-01-01")).toBe(null);
  });
});

test("a country is chosen beforehand only when the browser names one that can be paid to", () => {
  expect([likelyCountry(["en", "de-AT"]), likelyCountry(["de-KP"]), likelyCountry([])]).toEqual(["AT", "", ""]);
  expect(countries("en").find(([code]) => code === "DE")).toEqual(["DE", "Germany"]);
});
