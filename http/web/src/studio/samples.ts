/** The time line as the page keeps it: what was told before, with what is told now. Pure. */
import type { StreamMark, StreamSample, StreamTimeline } from "../api/types";

/** Beyond this the whole is asked for again, in larger steps. */
export const MOST_SAMPLES = 400;

const msOf = (sample: { at: string }) => Date.parse(sample.at);

/** From which moment on to ask: the last step may have grown. Null: everything. */
export function since(known: StreamTimeline | null): string | null {
  const last = known?.samples.at(-1);
  return !known || !last || known.samples.length > MOST_SAMPLES ? null : last.at;
}

/** `fresh` tells all there is from its first moment, `from`, in steps as fine as ours or finer. */
export function merged(known: StreamTimeline | null, fresh: StreamTimeline, from: string | null): StreamTimeline {
  if (!known || from === null || fresh.step_seconds > known.step_seconds) return fresh;
  const begin = Date.parse(from);
  const marks = new Map([...known.marks, ...fresh.marks].map((mark) => [`${mark.at} ${mark.kind} ${mark.text}`, mark]));
  return {
    samples: [...known.samples.filter((sample) => msOf(sample) < begin), ...inSteps(fresh.samples, known.step_seconds)],
    marks: [...marks.values()].sort((a, b) => msOf(a) - msOf(b)),
    step_seconds: known.step_seconds,
  };
}

/** As the server does it: most viewers, sums of counts, means of health. */
export function inSteps(samples: readonly StreamSample[], stepSeconds: number): StreamSample[] {
  const steps = new Map<number, StreamSample[]>();
  for (const sample of samples) {
    const place = Math.floor(msOf(sample) / 1000 / stepSeconds);
    steps.set(place, [...(steps.get(place) ?? []), sample]);
  }
  return [...steps].map(([place, group]) => together(new Date(place * stepSeconds * 1000).toISOString(), group));
}

function together(at: string, group: StreamSample[]): StreamSample {
  const most = (name: "viewers" | "peak") => Math.max(...group.map((sample) => sample[name]));
  const sum = (name: "actions" | "followers") => group.reduce((total, sample) => total + sample[name], 0);
  const said = known(group.map((sample) => sample.messages));
  return {
    at, viewers: most("viewers"), peak: most("peak"), actions: sum("actions"), followers: sum("followers"),
    messages: said.length ? said.reduce((total, count) => total + count, 0) : null,
    bitrate_kbps: mean(known(group.map((sample) => sample.bitrate_kbps))),
    fps: mean(known(group.map((sample) => sample.fps))),
    status: group.some((sample) => sample.status === "interrupted") ? "interrupted" : group.at(-1)!.status,
  };
}

const known = (values: (number | null)[]) => values.filter((value) => value !== null);
const mean = (values: number[]) => (values.length ? Math.round((values.reduce((a, b) => a + b, 0) / values.length) * 10) / 10 : null);

export type SeriesName = "viewers" | "messages" | "followers" | "actions" | "bitrate_kbps";

/** Columns for the chart: the moments in seconds, and one list for each series. A hole in time is a hole in each line. */
export function columnsOf({ samples, step_seconds }: StreamTimeline): { times: number[]; places: number[]; values: Record<SeriesName, (number | null)[]> } {
  const times: number[] = [];
  const places: number[] = [];
  const values: Record<SeriesName, (number | null)[]> = { viewers: [], messages: [], followers: [], actions: [], bitrate_kbps: [] };
  const names = Object.keys(values) as SeriesName[];
  samples.forEach((sample, place) => {
    const at = msOf(sample) / 1000;
    const before = times.at(-1);
    if (before !== undefined && at - before > step_seconds * 1.5) {
      times.push(before + step_seconds);
      places.push(-1);
      for (const name of names) values[name].push(null);
    }
    times.push(at);
    places.push(place);
    for (const name of names) values[name].push(sample[name]);
  });
  return { times, places, values };
}

/** The marks of one step: those that happened while it lasted, and for the first and last sample all before and after. */
export const marksAt = ({ samples, marks }: StreamTimeline, place: number): StreamMark[] => {
  const sample = samples[place];
  if (!sample) return [];
  const begin = place === 0 ? -Infinity : msOf(sample);
  const next = samples[place + 1];
  const end = next ? msOf(next) : Infinity;
  return marks.filter((mark) => msOf(mark) >= begin && msOf(mark) < end);
};

/** Where a key moves the cursor; null for a key that is not about it. `M` goes to the next mark. */
export function cursorAfter(key: string, place: number, timeline: StreamTimeline): number | null {
  const last = timeline.samples.length - 1;
  if (last < 0) return null;
  const steps: Record<string, number> = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1, PageDown: place - 10, PageUp: place + 10, Home: 0, End: last };
  const wanted = steps[key];
  if (wanted !== undefined) return Math.min(last, Math.max(0, wanted));
  if (key.toLowerCase() !== "m") return null;
  const marked = timeline.samples.map((_, one) => one).filter((one) => marksAt(timeline, one).length > 0);
  return marked.find((one) => one > place) ?? marked[0] ?? place;
}
