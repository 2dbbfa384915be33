import { expect, test } from "vitest";
import type { StreamMark, StreamSample, StreamTimeline } from "../api/types";
import { roof } from "./roof";
import { bitRate, sampleInWords, stepWords } from "./format";
import { columnsOf, cursorAfter, inSteps, marksAt, merged, MOST_SAMPLES, since } from "./samples";

const NOON = Date.UTC(2030, 4, 1, 12);
const at = (seconds: number) => new Date(NOON + seconds * 1000).toISOString();
const sample = (seconds: number, more: Partial<StreamSample> = {}): StreamSample => ({
  at: at(seconds), viewers: 5, peak: 9, messages: 2, actions: 0, followers: 1, bitrate_kbps: 2500, fps: 30, status: "live", ...more,
});
const mark = (seconds: number, text: string): StreamMark => ({ at: at(seconds), kind: "described", text });
const line = (samples: StreamSample[], more: Partial<StreamTimeline> = {}): StreamTimeline => ({ samples, marks: [], step_seconds: 10, ...more });
const seconds = (timeline: StreamTimeline) => timeline.samples.map((one) => (Date.parse(one.at) - NOON) / 1000);

test("the first answer is taken as it is, and the next question begins at the last step", () => {
  const first = line([sample(0), sample(10)]);
  expect(since(null)).toBeNull();
  expect(merged(null, first, null)).toBe(first);
  expect(since(first)).toBe(at(10));
});

test("what came since replaces the last step, which may have grown", () => {
  const known = line([sample(0), sample(10, { viewers: 1 })]);
  const now = merged(known, line([sample(10, { viewers: 8 }), sample(20)]), at(10));
  expect(seconds(now)).toEqual([0, 10, 20]);
  expect(now.samples[1]!.viewers).toBe(8);
});

test("fine samples become steps as coarse as those that are known", () => {
  const known = line([sample(0), sample(60)], { step_seconds: 60 });
  const now = merged(known, line([sample(60), sample(70, { viewers: 50, messages: null }), sample(110), sample(120)]), at(60));
  expect(seconds(now)).toEqual([0, 60, 120]);
  expect(now.samples[1]).toMatchObject({ viewers: 50, messages: 4, followers: 3, bitrate_kbps: 2500 });
  expect(now.step_seconds).toBe(60);
});

test("marks are kept once, in order", () => {
  const known = line([sample(0)], { marks: [mark(5, "b")] });
  expect(merged(known, line([sample(0)], { marks: [mark(2, "a"), mark(5, "b")] }), at(0)).marks.map(({ text }) => text)).toEqual(["a", "b"]);
});

test("a line that grew long is asked for as a whole", () => {
  expect(since(line(Array.from({ length: MOST_SAMPLES + 1 }, (_, place) => sample(place * 10))))).toBeNull();
});

test("an interruption does not vanish in a longer step, and unknown is not zero", () => {
  const [together] = inSteps([sample(0, { status: "interrupted", messages: null, bitrate_kbps: null }), sample(10, { messages: null, bitrate_kbps: null })], 60);
  expect(together).toMatchObject({ status: "interrupted", messages: null, bitrate_kbps: null });
});

test("a hole in time is a hole in every line", () => {
  const { times, places, values } = columnsOf(line([sample(0), sample(10), sample(100)]));
  expect(times.map((time) => time - NOON / 1000)).toEqual([0, 10, 20, 100]);
  expect(places).toEqual([0, 1, -1, 2]);
  expect(values.viewers).toEqual([5, 5, null, 5]);
});

test("the cursor moves by keys, stays on the line, and jumps to marks", () => {
  const timeline = line(Array.from({ length: 30 }, (_, place) => sample(place * 10)), { marks: [mark(42, "a"), mark(205, "b")] });
  const after = (key: string, place: number) => cursorAfter(key, place, timeline);
  expect([after("ArrowLeft", 5), after("ArrowRight", 5), after("PageDown", 5), after("PageUp", 25), after("Home", 9), after("End", 9)]).toEqual([4, 6, 0, 29, 0, 29]);
  expect([after("m", 0), after("M", 4), after("m", 20), after("m", 29)]).toEqual([4, 20, 4, 4]);
  expect([after("x", 5), after("Tab", 5), cursorAfter("ArrowLeft", 0, line([]))]).toEqual([null, null, null]);
});

test("every mark stands at one sample, those before the first and after the last too", () => {
  const timeline = line([sample(0), sample(10), sample(100)], { marks: [mark(-5, "before"), mark(10, "there"), mark(50, "in the hole"), mark(500, "after")] });
  expect([0, 1, 2, 3].map((place) => marksAt(timeline, place).map(({ text }) => text))).toEqual([["before"], ["there", "in the hole"], ["after"], []]);
});

test("figures are said as people say them", () => {
  expect([bitRate(null), bitRate(712.4), bitRate(2549)]).toEqual(["–", "712 kbit/s", "2.5 Mbit/s"]);
  expect([10, 60, 120, 7200, 86_400].map(stepWords)).toEqual(["10 s", "1 min", "2 min", "2 h", "1 d"]);
  const words = sampleInWords(sample(0, { viewers: 1, messages: null, followers: 1234, bitrate_kbps: null, status: "interrupted" }), [mark(0, "New title")], 10);
  expect(words).toContain("1 viewer, messages unknown, 1,234 new followers, 0 moderation actions, nothing from the encoder, interrupted, New title");
});

test("a chart has room above its most, and one viewer does not fill it", () => {
  expect([0, 1, 4, 9, 100, 2600].map(roof)).toEqual([4, 4, 6, 20, 200, 3000]);
  for (let most = 1; most < 5000; most += 7) expect(roof(most)).toBeGreaterThan(most);
});
