/**
 * What a video page asks for before it knows the video: where it is played, and the library that plays it. Both take as
 * long as the answer about the video itself, so asking for one after the other doubles the wait for the first frame.
 */
import { fetchPlayback, type PlaybackAnswer } from "../api/videos";

/** The answer sets cookies that live for a minute; the page mounts its player within a second. */
const FRESH_MS = 5_000;

let asked: { videoId: string; at: number; answer: Promise<PlaybackAnswer> } | null = null;

const isFresh = (at: number) => Date.now() - at <= FRESH_MS;

export const library = () => import("hls.js");

/** `anew`: something has changed, so that what was asked a moment ago says nothing any more. */
export function askAhead(videoId: string, anew = false): void {
  if (!anew && asked?.videoId === videoId && isFresh(asked.at)) return;
  void library().catch(() => undefined); // asked again when it is needed, and told then
  const answer = fetchPlayback(videoId);
  answer.catch(() => undefined);
  asked = { videoId, at: Date.now(), answer };
}

/** What was asked ahead of this video, once; null when there is nothing fresh, or it was refused and may be allowed by now. */
export async function takeAhead(videoId: string): Promise<PlaybackAnswer | null> {
  const found = asked;
  asked = null;
  if (found?.videoId !== videoId || !isFresh(found.at)) return null;
  return found.answer.catch(() => null);
}
