import { afterEach, expect, test, vi } from "vitest";
import { fetchPlayback, type PlaybackAnswer } from "../api/videos";
import { askAhead, takeAhead } from "./ahead";

vi.mock("../api/videos", () => ({ fetchPlayback: vi.fn() }));
const answers = vi.mocked(fetchPlayback);
const answer = { manifest_url: "/vod/1/index.m3u8" } as PlaybackAnswer;

afterEach(() => void vi.useRealTimers());

test("what was asked ahead is taken once, and only for its video", async () => {
  answers.mockResolvedValue(answer);
  askAhead("1");
  expect(await takeAhead("2")).toBe(null);
  askAhead("1");
  expect(await takeAhead("1")).toBe(answer);
  expect(await takeAhead("1")).toBe(null);
});

test("a refusal is asked for again, and so is what is old", async () => {
  answers.mockRejectedValueOnce(new Error("not ready"));
  askAhead("1");
  expect(await takeAhead("1")).toBe(null);
  vi.useFakeTimers();
  answers.mockResolvedValue(answer);
  askAhead("1");
  vi.advanceTimersByTime(5_001);
  expect(await takeAhead("1")).toBe(null);
});

test("what was refused a moment ago is asked anew when something has changed", async () => {
  answers.mockRejectedValueOnce(new Error("not ready")).mockResolvedValue(answer);
  askAhead("1");
  askAhead("1", true);
  expect(await takeAhead("1")).toBe(answer);
});
