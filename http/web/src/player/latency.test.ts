import { expect, test } from "vitest";
import { behindLive, paceFor, stuck } from "./latency";

const sample = { latency: 1.2, target: 1, playingDate: null, now: 100_000, paused: false };

test("the programme clock is believed when it agrees roughly", () => {
  expect(behindLive({ ...sample, playingDate: 98_400 }).latencySeconds).toBe(1.6);
  expect(behindLive({ ...sample, playingDate: 40_000 }).latencySeconds).toBe(1.2);
  expect(behindLive({ ...sample, playingDate: 101_000 }).latencySeconds).toBe(1.2);
});

test("unknown latency is not shown as zero", () => {
  expect(behindLive({ ...sample, latency: 0 })).toEqual({ latencySeconds: null, behind: false });
});

test("going live is offered when it saves seconds", () => {
  expect(behindLive(sample).behind).toBe(false);
  expect(behindLive({ ...sample, latency: 4.5 }).behind).toBe(true);
  expect(behindLive({ ...sample, latency: 4.5, target: 3.5 }).behind).toBe(false);
});

test("a picture is stuck only when there is something newer to show", () => {
  const progress = { position: 10, movedAt: 0 };
  expect(stuck(progress, 20_000, 14)).toBe(true);
  expect(stuck(progress, 20_000, 10.4)).toBe(false);
  expect(stuck(progress, 2_000, 14)).toBe(false);
  expect(stuck(progress, 20_000, null)).toBe(false);
});

test("a viewer who is late is brought back gently, and only with media in hand", () => {
  expect(paceFor({ late: 0.1, ahead: 1, rate: 1 })).toBe(1);
  expect(paceFor({ late: 0.3, ahead: 1, rate: 1 })).toBe(1.08);
  expect(paceFor({ late: 2, ahead: 1, rate: 1 })).toBe(1.25);
  expect(paceFor({ late: 2, ahead: 0.2, rate: 1 })).toBe(1);
  expect(paceFor({ late: Number.NaN, ahead: 1, rate: 1 })).toBe(1);
});

test("once it catches up it goes on until it has", () => {
  expect(paceFor({ late: 0.1, ahead: 1, rate: 1.08 })).toBe(1.08);
  expect(paceFor({ late: 0.04, ahead: 1, rate: 1.08 })).toBe(1);
});
