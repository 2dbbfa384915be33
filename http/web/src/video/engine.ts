/** hls.js as recorded videos need it. It may load before there is a <video> to show it in. */
import type Hls from "hls.js";
import type { HlsConfig } from "hls.js";
import type { PlaybackAnswer } from "../api/videos";

export type HlsLibrary = typeof Hls;

/** So near to its end a video is begun anew. */
const END_SECONDS = 1;

const CONFIG: Partial<HlsConfig> = {
  maxBufferLength: 30,
  maxMaxBufferLength: 60, // hls.js fetches ten minutes of a small picture ahead otherwise, seen or not
  backBufferLength: 60,
  lowLatencyMode: false,
  testBandwidth: false, // the lowest quality's first segment would be thrown away
  startFragPrefetch: true,
  xhrSetup: (xhr) => {
    xhr.withCredentials = true;
  },
};

export const library = (): Promise<{ default: HlsLibrary }> => import("hls.js");

/** An engine that loads `url` from this second on. Its listeners come later: look at `levels` for what it knows by then. */
export function startEngine(kind: HlsLibrary, url: string, from: number): Hls {
  const hls = new kind({ ...CONFIG, startPosition: from });
  hls.loadSource(url);
  return hls;
}

/** Where a video begins when its address does not say. */
export function beginning({ resume_seconds, duration_seconds }: PlaybackAnswer): number {
  return resume_seconds && resume_seconds < duration_seconds - END_SECONDS ? resume_seconds : 0;
}
