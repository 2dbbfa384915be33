import { expect, test } from "vitest";
import { byDay, dayWords } from "./days";

const NOW = new Date(2026, 10, 23, 0, 30).getTime();
const at = (...[year, month, day, hour = 12]: number[]) => new Date(year!, month! - 1, day!, hour).toISOString();

test("today, yesterday by the calendar and not by 24 hours, else the day, and another year with its number", () => {
  expect(dayWords(at(2026, 11, 23, 0), NOW)).toBe("Today");
  expect(dayWords(at(2026, 11, 22, 1), NOW)).toBe("Yesterday");
  expect(dayWords(at(2026, 11, 21, 23), NOW)).not.toMatch(/day$|2026/);
  expect(dayWords(at(2025, 11, 22), NOW)).toMatch(/2025/);
});

test("days keep the order of what happened on them", () => {
  const items = [at(2026, 11, 23, 0), at(2026, 11, 22, 20), at(2026, 11, 22, 3)];
  expect(byDay(items, (item) => item, NOW)).toEqual([["Today", [items[0]]], ["Yesterday", [items[1], items[2]]]]);
});
