import { expect, test } from "vitest";
import { backoffMs } from "./backoff";

test("waits double up to the ceiling, between half and whole", () => {
  const least = (attempt: number) => backoffMs(attempt, { random: () => 0 });
  const most = (attempt: number) => backoffMs(attempt, { random: () => 1 });
  expect([least(0), most(0)]).toEqual([500, 1000]);
  expect([least(2), most(2)]).toEqual([2000, 4000]);
  expect([least(50), most(50)]).toEqual([7500, 15_000]);
});
