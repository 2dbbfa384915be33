/**
 * What a video page asks for before it is drawn: what the video is, where it is played, and the library that plays it.
 * Each takes as long as the others, so asking for one after the other doubles the wait for the first frame.
 */
import { fetchPlayback, fetchVideo, type PlaybackAnswer, type Video } from "../api/videos";

/** The answer sets cookies that live for a minute; the page mounts its player within a second. */
const FRESH_MS = 5_000;

interface Asked {
  videoId: string;
  at: number;
  /** Each is taken once. */
  video: Promise<Video> | null;
  playback: Promise<PlaybackAnswer> | null;
}

let asked: Asked | null = null;

const isFresh = (at: number) => Date.now() - at <= FRESH_MS;

export const library = () => import("hls.js");

/** `anew`: something has changed, so that what was asked a moment ago says nothing any more. */
export function askAhead(videoId: string, anew = false): void {
  if (!anew && asked?.videoId === videoId && isFresh(asked.at)) return;
  void library().catch(() => undefined); // asked again when it is needed, and told then
  asked = { videoId, at: Date.now(), video: fetchVideo(videoId), playback: fetchPlayback(videoId) };
  asked.video?.catch(() => undefined);
  asked.playback?.catch(() => undefined);
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

function fresh(videoId: string): Asked | null {
  return asked?.videoId === videoId && isFresh(asked.at) ? asked : null;
}
