import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fetchPlayback, fetchVideo, type PlaybackAnswer, type Video } from "../api/videos";
import { askAhead, takePlayback, takeVideo } from "./ahead";

vi.mock("../api/videos", () => ({ fetchPlayback: vi.fn(), fetchVideo: vi.fn() }));
const playbacks = vi.mocked(fetchPlayback);
const videos = vi.mocked(fetchVideo);
const playback = { manifest_url: "/vod/1/index.m3u8" } as PlaybackAnswer;
const ahead = { id: "1", title: "asked ahead" } as Video;
const now = { id: "1", title: "asked now" } as Video;
const { signal } = new AbortController();

beforeEach(() => {
  playbacks.mockReset().mockResolvedValue(playback);
  videos.mockReset().mockResolvedValueOnce(ahead).mockResolvedValue(now);
});
afterEach(() => void vi.useRealTimers());

test("what was asked ahead is taken once, and only for its video", async () => {
  askAhead("1", true);
  expect(await takePlayback("2")).toBe(null);
  expect(await takePlayback("1")).toBe(playback);
  expect(await takePlayback("1")).toBe(null);
});

test("the video is asked for once by whoever comes first, and anew by who comes again", async () => {
  askAhead("1", true);
  expect(await takeVideo("1", signal)).toBe(ahead);
  expect(videos).toHaveBeenCalledTimes(1);
  expect(await takeVideo("1", signal)).toBe(now);
  expect(videos).toHaveBeenLastCalledWith("1", signal);
});

test("a refusal is asked for again, and so is what is old", async () => {
  playbacks.mockRejectedValueOnce(new Error("not ready"));
  askAhead("1", true);
  expect(await takePlayback("1")).toBe(null);
  vi.useFakeTimers();
  askAhead("1", true);
  vi.advanceTimersByTime(5_001);
  expect(await takePlayback("1")).toBe(null);
  expect(await takeVideo("1", signal)).toBe(now);
});

test("what was refused a moment ago is asked anew when something has changed", async () => {
  playbacks.mockRejectedValueOnce(new Error("not ready"));
  askAhead("1", true);
  askAhead("1", true);
  expect(await takePlayback("1")).toBe(playback);
});
