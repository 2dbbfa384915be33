/**
 * What a video page asks for before it is drawn: what the video is, where it is played, the library that plays it, and
 * its first pieces. Each takes as long as the others, so asking for one after the other doubles the wait for the picture.
 */
import type Hls from "hls.js";
import { fetchPlayback, fetchVideo, type PlaybackAnswer, type Video } from "../api/videos";
import { beginning, library, startEngine } from "./engine";

/** The answer sets cookies that live for a minute; the page mounts its player within a second. */
const FRESH_MS = 5_000;
const FORBIDDEN = 403;

interface Asked {
  videoId: string;
  at: number;
  /** Each is taken once. */
  video: Promise<Video> | null;
  playback: Promise<PlaybackAnswer> | null;
  engine: Promise<Early | null> | null;
}

interface Early {
  hls: Hls;
  url: string;
  from: number;
  /** It failed while nobody listened. */
  broken: boolean;
}

let asked: Asked | null = null;

const isFresh = (at: number) => Date.now() - at <= FRESH_MS;

/** `anew`: something has changed, so that what was asked a moment ago says nothing any more. */
export function askAhead(videoId: string, anew = false): void {
  if (!anew && asked?.videoId === videoId && isFresh(asked.at)) return;
  dropEngine();
  const [video, playback] = [fetchVideo(videoId), fetchPlayback(videoId)];
  asked = { videoId, at: Date.now(), video, playback, engine: startEarly(playback) };
  for (const each of [video, playback]) each.catch(() => undefined); // told when it is taken
}

/** None for an address that says where to begin: the page knows. */
async function startEarly(playback: Promise<PlaybackAnswer>): Promise<Early | null> {
  try {
    const [answer, { default: Hls }] = await Promise.all([playback, library()]);
    if (!Hls.isSupported() || new URLSearchParams(location.search).has("t")) return null;
    const [url, from] = [answer.manifest_url, beginning(answer)];
    const early = { hls: startEngine(Hls, url, from), url, from, broken: false };
    early.hls.on(Hls.Events.ERROR, (_, { fatal, response }) => { early.broken ||= fatal || response?.code === FORBIDDEN; });
    return early;
  } catch {
    return null; // asked again when it is needed, and told then
  }
}

/** What was asked ahead, once, or asked now. */
export function takeVideo(videoId: string, signal: AbortSignal): Promise<Video> {
  const found = fresh(videoId)?.video;
  if (!asked || !found) return fetchVideo(videoId, signal);
  asked.video = null;
  return found;
}

/** What was asked ahead, once; null when there is nothing fresh, or it was refused and may be allowed by now. */
export async function takePlayback(videoId: string): Promise<PlaybackAnswer | null> {
  const found = fresh(videoId)?.playback;
  if (!asked || !found) return null;
  asked.playback = null;
  return found.catch(() => null);
}

/** The engine that loads this already; null when there is none. One that began otherwise, or failed, is ended. */
export async function takeEngine(url: string, from: number): Promise<Hls | null> {
  const early = await (asked?.engine ?? null);
  if (asked) asked.engine = null;
  if (early?.url === url && early.from === from && !early.broken) return early.hls;
  early?.hls.destroy();
  return null;
}

/** Nobody will take it. */
export function dropEngine(): void {
  void asked?.engine?.then((early) => early?.hls.destroy());
  if (asked) asked.engine = null;
}

function fresh(videoId: string): Asked | null {
  return asked?.videoId === videoId && isFresh(asked.at) ? asked : null;
}
