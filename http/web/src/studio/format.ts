/** The figures of the time line as people say them. Pure. */
import type { StreamMark, StreamSample } from "../api/types";

const whole = (value: number) => Math.round(value).toLocaleString("en");
const many = (count: number | null, one: string, more: string) => (count === null ? `${more} unknown` : `${whole(count)} ${count === 1 ? one : more}`);

export const bitRate = (kbps: number | null) =>
  kbps === null ? "–" : kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;

export const orDash = (count: number | null) => (count === null ? "–" : whole(count));

/** 10 -> "10 s", 120 -> "2 min", 7200 -> "2 h". */
export function stepWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${seconds / 60} min`;
  return seconds < 86_400 ? `${seconds / 3600} h` : `${seconds / 86_400} d`;
}

/** Within a day the time, over several the day with it. */
export function timeWords(ms: number, stepSeconds: number): string {
  const time = new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...(stepSeconds < 60 ? { second: "2-digit" } : {}) });
  return stepSeconds >= 3600 ? `${new Date(ms).toLocaleDateString([], { month: "short", day: "numeric" })} ${time}` : time;
}

/** One sample as a sentence, for who hears the chart. */
export function sampleInWords(sample: StreamSample, marks: StreamMark[], stepSeconds: number): string {
  const health = sample.bitrate_kbps === null ? "nothing from the encoder" : bitRate(sample.bitrate_kbps);
  return [
    timeWords(Date.parse(sample.at), stepSeconds),
    many(sample.viewers, "viewer", "viewers"),
    many(sample.messages, "message", "messages"),
    many(sample.followers, "new follower", "new followers"),
    many(sample.actions, "moderation action", "moderation actions"),
    health,
    ...(sample.status === "interrupted" ? ["interrupted"] : []),
    ...marks.map((mark) => mark.text),
  ].join(", ");
}
