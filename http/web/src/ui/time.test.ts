import { expect, test } from "vitest";
import { clock, duration, secondsSince, shortCount, viewersLabel } from "./time";

test.each([[0, "0:00"], [65, "1:05"], [3725, "1:02:05"], [-3, "0:00"], [59.9, "0:59"]])("%d seconds on a clock is %s", (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});

test.each([[10, "under a minute"], [300, "5 min"], [3600, "1 h"], [7800, "2 h 10 min"], [90_000, "1 day"], [200_000, "2 days"]])(
  "%d seconds lasts %s",
  (seconds, text) => expect(duration(seconds)).toBe(text),
);

test("a start in the future, from a clock that runs ahead, has lasted nothing", () => {
  expect(secondsSince("2026-01-01T00:00:10Z", Date.parse("2026-01-01T00:00:00Z"))).toBe(0);
  expect(secondsSince(null)).toBe(0);
});

test("counts are short on cards and whole in labels", () => {
  expect(shortCount(950)).toBe("950");
  expect(shortCount(1240)).toBe("1.2K");
  expect(viewersLabel(1)).toBe("1 viewer");
  expect(viewersLabel(12400)).toBe("12,400 viewers");
});
