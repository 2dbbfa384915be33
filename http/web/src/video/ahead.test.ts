import { afterEach, beforeEach, expect, test, vi, type Mock } from "vitest";
import { fetchPlayback, fetchVideo, type PlaybackAnswer, type Video } from "../api/videos";
import { askAhead, dropEngine, takeEngine, takePlayback, takeVideo } from "./ahead";

interface Engine {
  on: Mock<(event: string, heard: (event: string, trouble: object) => void) => void>;
  destroy: Mock<() => void>;
}

vi.mock("../api/videos", () => ({ fetchPlayback: vi.fn(), fetchVideo: vi.fn() }));
vi.mock("./engine", () => ({
  beginning: () => 0,
  library: () => Promise.resolve({ default: { isSupported: () => true, Events: { ERROR: "error" } } }),
  startEngine: () => {
    const engine: Engine = { on: vi.fn(), destroy: vi.fn() };
    engines.push(engine);
    return engine;
  },
}));
const engines: Engine[] = [];
const playbacks = vi.mocked(fetchPlayback);
const videos = vi.mocked(fetchVideo);
const playback = { manifest_url: "/vod/1/index.m3u8" } as PlaybackAnswer;
const ahead = { id: "1", title: "asked ahead" } as Video;
const now = { id: "1", title: "asked now" } as Video;
const { signal } = new AbortController();

beforeEach(() => {
  dropEngine();
  engines.length = 0;
  vi.stubGlobal("location", { search: "" });
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

test("the engine that loads already is taken once, by who wants the same of it", async () => {
  askAhead("1", true);
  expect(await takeEngine(playback.manifest_url, 0)).toBe(engines.at(-1));
  expect(await takeEngine(playback.manifest_url, 0)).toBe(null);
  askAhead("1", true);
  expect(await takeEngine(playback.manifest_url, 30)).toBe(null);
  expect(engines.at(-1)?.destroy).toHaveBeenCalledOnce();
});

test("an engine that failed while nobody listened is not taken", async () => {
  askAhead("1", true);
  await vi.waitFor(() => expect(engines.at(-1)?.on).toHaveBeenCalledOnce());
  const heard = engines.at(-1)?.on.mock.lastCall?.[1];
  heard?.("error", { fatal: false, response: { code: 403 } });
  expect(await takeEngine(playback.manifest_url, 0)).toBe(null);
  expect(engines.at(-1)?.destroy).toHaveBeenCalledOnce();
});

test("an engine ends with the page that would have taken it, and with the next question", async () => {
  askAhead("1", true);
  dropEngine();
  await vi.waitFor(() => expect(engines.at(-1)?.destroy).toHaveBeenCalledOnce());
  askAhead("1", true);
  askAhead("2", true);
  await vi.waitFor(() => expect(engines).toHaveLength(3));
  expect(engines.map(({ destroy }) => destroy.mock.calls.length)).toEqual([1, 1, 0]);
});

test("where the address says where to begin, the page starts the engine", async () => {
  vi.stubGlobal("location", { search: "?t=90" });
  askAhead("1", true);
  expect(await takeEngine(playback.manifest_url, 90)).toBe(null);
  expect(engines).toEqual([]);
});
