/**
 * Plays one recorded video in one <video>: asks where it is, hands it to hls.js, renews the cookies that open it by
 * saying where it is, and mends what breaks. It shows nothing; it reports what a player would show.
 */
import type Hls from "hls.js";
import type { ErrorData, ManifestParsedData } from "hls.js";
import { asApiError, type ApiError } from "../api/errors";
import { beat, fetchPlayback, type PlaybackAnswer } from "../api/videos";
import type { Quality } from "../player/playback";
import { backoffMs } from "../realtime/backoff";
import { deviceId } from "../session/device";
import { takeEngine, takePlayback } from "./ahead";
import { beginning, library, startEngine, type HlsLibrary } from "./engine";

export type VideoPhase = "loading" | "playing" | "buffering" | "over" | "trouble" | "refused" | "unsupported";

export interface RecordedState {
  phase: VideoPhase;
  qualities: Quality[];
  /** -1 while the player chooses by itself. */
  quality: number;
  playing: string | null;
  answer: PlaybackAnswer | null;
  refusal: ApiError | null;
}

export const initialRecorded: RecordedState = { phase: "loading", qualities: [], quality: -1, playing: null, answer: null, refusal: null };

const HLS_TYPE = "application/vnd.apple.mpegurl";
const FORBIDDEN = 403;
/** Attempts before the person hears of trouble. */
const PATIENCE = 4;
/** Two renewals long: the cookies live for three. */
const PAUSED_TIMES = 2;

export class Recorded {
  private hls: Hls | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private beats: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;
  private renewing = false;
  private attempt = 0;
  private mediaErrorAt = 0;
  private renewSeconds = 20;
  private state = initialRecorded;
  private readonly asked = new AbortController();

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly videoId: string,
    /** Where to begin, in seconds; null for where the person stopped. */
    private readonly from: number | null,
    private readonly onChange: (state: RecordedState) => void,
    private readonly play: () => void,
    /** False after the person pressed pause. */
    private readonly wantsToPlay: () => boolean,
  ) {}

  start(): void {
    const { signal } = this.asked;
    this.video.addEventListener("playing", () => this.set({ phase: "playing" }), { signal });
    this.video.addEventListener("waiting", () => this.state.phase === "playing" && this.set({ phase: "buffering" }), { signal });
    this.video.addEventListener("ended", () => this.ended(), { signal });
    this.video.addEventListener("pause", () => void this.tell(), { signal });
    addEventListener("pagehide", () => void this.tell(true), { signal });
    document.addEventListener("visibilitychange", () => void this.tell(document.hidden), { signal });
    void this.load(this.from);
  }

  stop(): void {
    if (this.state.answer) void this.tell(true);
    this.stopped = true;
    this.asked.abort();
    clearTimeout(this.retry);
    clearTimeout(this.beats);
    this.release();
  }

  setQuality(index: number): void {
    if (!this.hls) return;
    this.hls.nextLevel = index;
    this.set({ quality: index });
  }

  /** Better qualities were made since: take them from here on, without going back. */
  again(): void {
    if (!this.stopped && this.state.answer && this.state.phase !== "refused") void this.load(this.video.currentTime);
  }

  /** The video is whole now: pictures above the seek bar and captions may have come. What plays goes on. */
  refresh(): void {
    if (this.stopped || !this.state.answer) return;
    fetchPlayback(this.videoId, this.asked.signal).then((answer) => this.set({ answer }), () => undefined);
  }

  /** Somebody pressed "try again". */
  hurry(): void {
    clearTimeout(this.retry);
    this.attempt = 0;
    void this.load(this.video.currentTime || this.from);
  }

  private async load(from: number | null): Promise<void> {
    try {
      const answer = (await takePlayback(this.videoId)) ?? (await fetchPlayback(this.videoId, this.asked.signal));
      if (this.stopped) return;
      this.set({ answer, refusal: null });
      this.renewSeconds = answer.renew_seconds;
      this.schedule();
      await this.attach(answer.manifest_url, from ?? beginning(answer));
    } catch (thrown) {
      if (this.stopped) return;
      this.refusedOrLater(asApiError(thrown), from);
    }
  }

  private refusedOrLater(error: ApiError, from: number | null): void {
    if ([401, FORBIDDEN, 404].includes(error.status) && error.code !== "playback.not_ready") {
      this.release();
      this.set({ phase: "refused", refusal: error });
      return;
    }
    this.later(from, error);
  }

  /** What goes wrong mends itself most often; after a few attempts the person is told, and it is still tried. */
  private later(from: number | null, error: ApiError | null): void {
    this.set(this.attempt >= PATIENCE ? { phase: "trouble", refusal: error } : { phase: "loading" });
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.load(from), error?.retryAfterMs ?? backoffMs(this.attempt++, { first: 500, most: 10_000 }));
  }

  private async attach(url: string, from: number): Promise<void> {
    const [{ default: Hls }, early] = await Promise.all([library(), takeEngine(url, from)]);
    if (this.stopped) {
      early?.destroy();
      return;
    }
    this.release();
    if (Hls.isSupported()) {
      this.attachHls(Hls, early ?? startEngine(Hls, url, from));
    } else if (this.video.canPlayType(HLS_TYPE)) {
      this.video.src = url;
      this.video.addEventListener("loadedmetadata", () => { this.video.currentTime = from; }, { once: true, signal: this.asked.signal });
      this.play();
    } else {
      this.set({ phase: "unsupported" });
    }
  }

  private attachHls(library: HlsLibrary, hls: Hls): void {
    this.hls = hls;
    const early = hls.levels.length > 0;
    if (!early) hls.on(library.Events.MANIFEST_PARSED, (_, manifest) => this.parsed(hls, manifest));
    hls.on(library.Events.FRAG_BUFFERED, () => { this.attempt = 0; });
    hls.on(library.Events.LEVEL_SWITCHED, (_, { level }) => {
      const shown = hls.levels[level];
      this.set({ playing: shown ? `${Math.min(shown.height, shown.width)}p` : null });
    });
    hls.on(library.Events.ERROR, (_, data) => this.mend(library, hls, data));
    hls.attachMedia(this.video);
    if (early) this.parsed(hls, hls); // only now: what is played before there is a source stays stopped
  }

  private parsed(hls: Hls, { levels }: Pick<ManifestParsedData, "levels">): void {
    const rate = this.video.playbackRate;
    const qualities = levels.map((level, index) => ({ index, label: `${Math.min(level.height, level.width)}p` }));
    const chosen = qualities.find(({ label }) => label === this.chosenLabel())?.index ?? -1;
    if (chosen !== -1) hls.nextLevel = chosen;
    this.set({ qualities: qualities.length > 1 ? qualities.toReversed() : [], quality: chosen });
    this.video.addEventListener("loadedmetadata", () => { this.video.playbackRate = rate; }, { once: true, signal: this.asked.signal });
    if (this.wantsToPlay()) this.play();
  }

  private mend(library: HlsLibrary, hls: Hls, { fatal, type, response }: ErrorData): void {
    if (this.stopped) return;
    if (response?.code === FORBIDDEN) {
      void this.renewAndGoOn(hls);
      return;
    }
    if (!fatal) return;
    if (type === library.ErrorTypes.MEDIA_ERROR && Date.now() - this.mediaErrorAt > 5000) {
      this.mediaErrorAt = Date.now();
      hls.recoverMediaError();
      return;
    }
    this.later(this.video.currentTime, null);
  }

  private chosenLabel(): string | undefined {
    return this.state.qualities.find(({ index }) => index === this.state.quality)?.label;
  }

  /** The cookies were over: this machine slept, or a renewal was lost. */
  private async renewAndGoOn(hls: Hls): Promise<void> {
    if (this.renewing) return;
    this.renewing = true;
    hls.stopLoad();
    await this.tell();
    this.renewing = false;
    // Anew in every case: a playlist that was refused is not asked for again by itself, and a lasting refusal backs off.
    if (this.hls === hls && !this.stopped && this.state.phase !== "refused") this.later(this.video.currentTime, null);
  }

  /** Rarer while nobody watches: what is in the buffer needs no cookies, and playing on renews them first. */
  private schedule(): void {
    clearTimeout(this.beats);
    const pause = this.video.paused ? PAUSED_TIMES : 1;
    this.beats = setTimeout(() => void this.tell().finally(() => this.schedule()), this.renewSeconds * pause * 1000);
  }

  /** Say where the player is; true when that renewed the right to go on. */
  private async tell(last = false): Promise<boolean> {
    if (this.stopped || !this.state.answer) return false;
    const body = { position_seconds: Math.max(0, this.video.currentTime), playing: !this.video.paused, device: deviceId() };
    try {
      const answer = await beat(this.videoId, body, last);
      this.renewSeconds = answer.renew_seconds;
      return true;
    } catch (thrown) {
      const error = asApiError(thrown);
      if (!this.stopped && [401, FORBIDDEN, 404].includes(error.status)) {
        this.release();
        this.video.pause();
        this.set({ phase: "refused", refusal: error });
      }
      return false;
    }
  }

  private ended(): void {
    void this.tell();
    this.set({ phase: "over" });
  }

  private release(): void {
    this.hls?.destroy();
    this.hls = null;
    if (this.video.src) this.video.removeAttribute("src");
  }

  private set(change: Partial<RecordedState>): void {
    if (this.stopped) return;
    this.state = { ...this.state, ...change };
    this.onChange(this.state);
  }
}
