/**
 * Plays one live stream in one <video>: asks for the manifest until there is one, hands it to hls.js (or to the browser
 * where that plays HLS itself), and mends what breaks. It shows nothing; it reports what a player would show.
 */
import type Hls from "hls.js";
import type { ErrorData, HlsConfig } from "hls.js";
import { fetchManifest } from "../api/calls";
import { asApiError, type ApiError } from "../api/errors";
import type { Latency } from "../api/types";
import { backoffMs } from "../realtime/backoff";
import { behindLive, paceFor, stuck, type Progress } from "./latency";

export type Phase = "loading" | "waiting" | "playing" | "buffering" | "over" | "refused" | "unsupported";

export interface Quality {
  index: number;
  label: string;
}

export interface PlaybackState {
  phase: Phase;
  qualities: Quality[];
  /** -1 while the player chooses by itself. */
  quality: number;
  /** What is really on the screen now, for "Auto (720p)". */
  playing: string | null;
  latencySeconds: number | null;
  behind: boolean;
}

export const initialPlayback: PlaybackState = { phase: "loading", qualities: [], quality: -1, playing: null, latencySeconds: null, behind: false };

const WATCH_MS = 250;
const HLS_TYPE = "application/vnd.apple.mpegurl";

export function hlsConfig(latency: Latency): Partial<HlsConfig> {
  const retry = { maxNumRetry: 6, retryDelayMs: 500, maxRetryDelayMs: 4000 };
  const shared: Partial<HlsConfig> = {
    startPosition: -1,
    backBufferLength: 10,
    maxBufferLength: 12,
    // The edge may stand on another origin and know viewers by a signed cookie.
    xhrSetup: (xhr) => {
      xhr.withCredentials = true;
    },
    playlistLoadPolicy: {
      default: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 20_000, timeoutRetry: retry, errorRetry: retry },
    },
  };
  // Low latency: how far behind to stay is the playlist's word (PART-HOLD-BACK), and `paceFor` keeps it.
  // Standard: two segments of 2 s would start 6 s behind, 3.5 s is still without stalls.
  return latency === "low"
    ? { ...shared, lowLatencyMode: true, maxLiveSyncPlaybackRate: 1, liveSyncOnStallIncrease: 0.25 }
    : { ...shared, lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.2, liveSyncDuration: 3.5 };
}

export class Playback {
  private hls: Hls | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private renewal: ReturnType<typeof setTimeout> | undefined;
  private watcher: ReturnType<typeof setInterval> | undefined;
  private stopped = false;
  private attempt = 0;
  private mediaErrorAt = 0;
  private progress: Progress = { position: -1, movedAt: 0 };
  private state = initialPlayback;
  private readonly asked = new AbortController();

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly streamId: string,
    private readonly latency: Latency,
    private readonly onChange: (state: PlaybackState) => void,
    private readonly wantsToPlay: () => boolean,
    private readonly play: () => void,
  ) {}

  start(): void {
    const { signal } = this.asked;
    const report = (phase: Phase) => () => this.set({ phase });
    this.video.addEventListener("playing", report("playing"), { signal });
    this.video.addEventListener("waiting", () => this.state.phase === "playing" && this.set({ phase: "buffering" }), { signal });
    this.video.addEventListener("ended", report("over"), { signal });
    this.watcher = setInterval(() => this.watch(), WATCH_MS);
    void this.load();
  }

  stop(): void {
    this.stopped = true;
    this.asked.abort();
    clearTimeout(this.timer);
    clearTimeout(this.renewal);
    clearInterval(this.watcher);
    this.release();
  }

  /** The stream went live, or somebody pressed "try again": do not wait for the next turn. */
  hurry(): void {
    if (this.stopped || this.state.phase === "playing") return;
    this.attempt = 0;
    if (!this.hls && !this.video.src) this.later(0);
  }

  setQuality(index: number): void {
    if (!this.hls) return;
    this.hls.nextLevel = index;
    this.set({ quality: index });
  }

  goLive(): void {
    const { seekable } = this.video;
    const edge = this.hls?.liveSyncPosition ?? (seekable.length ? seekable.end(seekable.length - 1) - 2 : null);
    if (edge !== null) this.video.currentTime = edge;
    this.play();
  }

  private async load(): Promise<void> {
    try {
      const { url, renew_seconds } = await fetchManifest(this.streamId, this.asked.signal);
      this.renewIn(renew_seconds);
      if (!this.stopped) await this.attach(url);
    } catch (thrown) {
      if (this.stopped) return;
      const error = asApiError(thrown);
      if (this.refused(error)) return;
      if (error.code === "stream.ended") {
        this.set({ phase: "over" });
        return;
      }
      if (error.code === "stream.nothing_to_play") this.set({ phase: "waiting" });
      this.later(error.retryAfterMs ?? backoffMs(this.attempt++, { first: 1000, most: 5000 }));
    }
  }

  /** The cookies that open the edge last for minutes: asked for again well before. */
  private renewIn(seconds: number): void {
    clearTimeout(this.renewal);
    if (!this.stopped) this.renewal = setTimeout(() => void this.renew(seconds), seconds * 1000);
  }

  private async renew(seconds: number): Promise<void> {
    try {
      await fetchManifest(this.streamId, this.asked.signal);
    } catch (thrown) {
      if (this.stopped || this.refused(asApiError(thrown))) return;
    }
    this.renewIn(seconds); // what else went wrong shows when the cookies are over, and is mended then
  }

  /** Who may not watch, or no longer, is told so. */
  private refused({ status }: ApiError): boolean {
    if (status !== 401 && status !== 403) return false;
    this.release();
    this.video.pause();
    this.set({ phase: "refused" });
    return true;
  }

  private later(waitMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), waitMs);
  }

  private async attach(url: string): Promise<void> {
    const { default: Hls } = await import("hls.js");
    if (this.stopped) return;
    this.release();
    if (Hls.isSupported()) {
      this.attachHls(Hls, url);
    } else if (this.video.canPlayType(HLS_TYPE)) {
      this.video.src = url;
      this.play();
    } else {
      this.set({ phase: "unsupported" });
    }
  }

  private attachHls(library: typeof Hls, url: string): void {
    const hls = new library(hlsConfig(this.latency));
    this.hls = hls;
    hls.on(library.Events.MANIFEST_PARSED, (_, { levels }) => {
      this.attempt = 0;
      const qualities = levels.map((level, index) => ({ index, label: qualityLabel(level.height, level.bitrate) }));
      this.set({ qualities: qualities.length > 1 ? qualities.toReversed() : [], quality: -1 });
      if (this.wantsToPlay()) this.play();
    });
    hls.on(library.Events.LEVEL_SWITCHED, (_, { level }) => {
      const { height, bitrate } = hls.levels[level] ?? {};
      this.set({ playing: height ? qualityLabel(height, bitrate ?? 0) : null });
    });
    hls.on(library.Events.ERROR, (_, data) => this.mend(library, hls, data));
    hls.loadSource(url);
    hls.attachMedia(this.video);
  }

  private mend(library: typeof Hls, hls: Hls, { fatal, type, details, response }: ErrorData): void {
    if (this.stopped) return;
    if (response?.code === 403) {
      this.restart(); // this machine slept longer than the cookies last
      return;
    }
    if (!fatal) return;
    const manifestFailed = details === library.ErrorDetails.MANIFEST_LOAD_ERROR || details === library.ErrorDetails.MANIFEST_LOAD_TIMEOUT;
    if (type === library.ErrorTypes.NETWORK_ERROR && !manifestFailed) {
      // The last frame stays on the screen while the playlist is asked for again.
      clearTimeout(this.timer);
      this.timer = setTimeout(() => hls.startLoad(-1), backoffMs(this.attempt++, { first: 1000, most: 5000 }));
    } else if (type === library.ErrorTypes.MEDIA_ERROR && Date.now() - this.mediaErrorAt > 5000) {
      this.mediaErrorAt = Date.now();
      hls.recoverMediaError();
    } else {
      this.restart();
    }
  }

  private restart(): void {
    this.release();
    this.set({ phase: "loading" });
    this.later(backoffMs(this.attempt++, { first: 1000, most: 5000 }));
  }

  private release(): void {
    this.hls?.destroy();
    this.hls = null;
    if (this.video.src) this.video.removeAttribute("src");
  }

  private watch(): void {
    const { hls, video } = this;
    const now = Date.now();
    if (video.currentTime !== this.progress.position) {
      this.progress = { position: video.currentTime, movedAt: now };
      this.attempt = 0;
    }
    const idle = video.paused || document.hidden || this.state.phase === "over";
    if (idle) this.progress.movedAt = now;
    else if (hls && stuck(this.progress, now, newestPosition(hls))) {
      this.progress.movedAt = now;
      hls.stopLoad();
      hls.startLoad(-1);
      this.goLive();
    }
    if (!hls || !hls.latestLevelDetails?.live) return;
    if (this.latency === "low" && hls.targetLatency !== null) {
      const rate = paceFor({ late: hls.latency - hls.targetLatency, ahead: bufferedAhead(video), rate: video.playbackRate });
      if (rate !== video.playbackRate) video.playbackRate = rate;
    }
    this.set(behindLive({
      latency: hls.latency,
      target: hls.targetLatency,
      playingDate: hls.playingDate?.getTime() ?? null,
      now,
      paused: video.paused,
    }));
  }

  private set(change: Partial<PlaybackState>): void {
    const next = { ...this.state, ...change };
    const same = (Object.keys(next) as (keyof PlaybackState)[]).every((key) => next[key] === this.state[key]);
    if (same || this.stopped) return;
    this.state = next;
    this.onChange(next);
  }
}

function bufferedAhead({ buffered, currentTime }: HTMLVideoElement): number {
  return buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
}

const newestPosition = (hls: Hls) => hls.latestLevelDetails?.edge ?? null;

function qualityLabel(height: number, bitrate: number): string {
  return height ? `${height}p` : `${Math.round(bitrate / 1000)} kbit/s`;
}
