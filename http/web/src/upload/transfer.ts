/**
 * One file on its way to storage: parts go straight there by signed URLs, three at a time, in any order. What went wrong
 * with a part is tried again for as long as the person does not stop it; only what the server says about the file itself
 * ends an upload. Knows nothing of React.
 */
import { ApiError, asApiError } from "../api/errors";
import type { Upload, UploadUrl, Video } from "../api/videos";
import { backoffMs } from "../realtime/backoff";
import { bytesOf, hex, missing, partsOf, Speed, type Part } from "./parts";

export type TransferState = "sending" | "paused" | "offline" | "finishing" | "done" | "failed" | "aborted";

/** The calls an upload makes; `api/videos.ts` in the app. */
export interface UploadCalls {
  sign: (videoId: string, parts: { number: number; sha256: string }[], signal: AbortSignal) => Promise<{ urls: UploadUrl[] }>;
  state: (videoId: string, signal: AbortSignal) => Promise<Upload>;
  complete: (videoId: string) => Promise<Video>;
  abort: (videoId: string) => Promise<void>;
  put: (to: UploadUrl, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal) => Promise<void>;
}

export interface Progress {
  state: TransferState;
  sentBytes: number;
  bytesPerSecond: number | null;
  /** Why it waits or failed, in words. */
  problem: string | null;
}

const AT_ONCE = 3;
/** Storage refuses a URL that is too old, and one whose bytes do not match its checksum: a new one settles both. */
const SIGN_AGAIN = new Set([400, 403]);
const FINAL = new Set(["upload.not_a_video", "upload.checksum", "upload.too_large", "video.not_found", "upload.aborted"]);

export class StorageRefused extends Error {
  constructor(readonly status: number) {
    super(`storage answered ${status}`);
  }
}

export class Transfer {
  readonly parts: Part[];
  private state: TransferState = "paused";
  private problem: string | null = null;
  private readonly received = new Set<number>();
  private readonly inFlight = new Map<number, number>();
  private readonly speed = new Speed();
  private stopping = new AbortController();

  constructor(
    readonly videoId: string,
    private readonly file: Blob,
    upload: Upload,
    private readonly calls: UploadCalls,
    private readonly onChange: (progress: Progress) => void,
    private readonly onDone: (video: Video) => void,
  ) {
    this.parts = partsOf(file.size, upload.part_bytes);
    for (const { number } of upload.received) this.received.add(number);
  }

  get progress(): Progress {
    const there = this.parts.filter((part) => this.received.has(part.number));
    const flying = Array.from(this.inFlight.values()).reduce((sum, bytes) => sum + bytes, 0);
    const sentBytes = Math.min(this.file.size, bytesOf(there) + flying);
    return { state: this.state, sentBytes, bytesPerSecond: this.state === "sending" ? this.speed.bytesPerSecond : null, problem: this.problem };
  }

  /** Begin, or go on after a pause. */
  async start(): Promise<void> {
    if (this.state === "sending" || this.state === "finishing" || this.state === "done") return;
    this.stopping = new AbortController();
    this.speed.reset();
    this.set("sending");
    const { signal } = this.stopping;
    const waiting = missing(this.parts, this.received);
    const lanes = Array.from({ length: AT_ONCE }, () => this.lane(waiting, signal));
    try {
      await Promise.all(lanes);
      if (!signal.aborted) await this.finish(signal);
    } catch (thrown) {
      const stoppedByHand = signal.aborted;
      this.stopping.abort(); // the other lanes
      this.inFlight.clear();
      if (!stoppedByHand) this.fail(asApiError(thrown).message);
    }
  }

  pause(): void {
    if (this.state !== "sending" && this.state !== "offline") return;
    this.stopping.abort();
    this.inFlight.clear();
    this.set("paused");
  }

  async abort(): Promise<void> {
    this.stopping.abort();
    this.inFlight.clear();
    this.set("aborted");
    await this.calls.abort(this.videoId);
  }

  private async lane(waiting: Part[], signal: AbortSignal): Promise<void> {
    for (let part = waiting.shift(); part && !signal.aborted; part = waiting.shift()) await this.deliver(part, signal);
  }

  private async deliver(part: Part, signal: AbortSignal): Promise<void> {
    const body = this.file.slice(part.start, part.end);
    const sha256 = hex(await crypto.subtle.digest("SHA-256", await body.arrayBuffer()));
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const [to] = (await this.calls.sign(this.videoId, [{ number: part.number, sha256 }], signal)).urls;
        await this.calls.put(to!, body, (bytes) => this.sent(part.number, bytes), signal);
        this.inFlight.delete(part.number);
        this.received.add(part.number);
        this.sent(part.number, 0);
        return;
      } catch (thrown) {
        this.inFlight.delete(part.number);
        if (signal.aborted) return;
        if (isFinal(thrown)) throw thrown;
        await this.waitAfter(thrown, attempt, signal);
      }
    }
  }

  private sent(number: number, bytes: number): void {
    if (bytes) this.inFlight.set(number, bytes);
    this.problem = null;
    if (this.state === "offline") this.state = "sending";
    this.speed.add(this.progress.sentBytes, performance.now());
    this.onChange(this.progress);
  }

  private async waitAfter(thrown: unknown, attempt: number, signal: AbortSignal): Promise<void> {
    const quick = thrown instanceof StorageRefused && SIGN_AGAIN.has(thrown.status) && attempt === 0;
    if (quick) return;
    this.problem = navigator.onLine ? "The connection is shaky. Trying again." : "You are offline. It goes on by itself.";
    this.set("offline");
    await pause(Math.min(15_000, backoffMs(attempt, { first: 500 })), signal);
  }

  private async finish(signal: AbortSignal): Promise<void> {
    this.set("finishing");
    for (let attempt = 0; ; attempt++) {
      try {
        const video = await this.calls.complete(this.videoId);
        this.set("done");
        this.onDone(video);
        return;
      } catch (thrown) {
        if (thrown instanceof ApiError && thrown.code === "upload.incomplete") return this.sendAgain(signal);
        if (isFinal(thrown) || attempt >= 20) throw thrown;
        await pause(Math.min(15_000, backoffMs(attempt, { first: 500 })), signal);
      }
    }
  }

  /** Storage lacks something we thought it had: ask what is there and send the rest. */
  private async sendAgain(signal: AbortSignal): Promise<void> {
    const upload = await this.calls.state(this.videoId, signal);
    this.received.clear();
    for (const { number } of upload.received) this.received.add(number);
    this.state = "paused";
    await this.start();
  }

  private fail(problem: string): void {
    this.problem = problem;
    this.set("failed");
  }

  private set(state: TransferState): void {
    this.state = state;
    if (state === "sending") this.problem = null;
    this.onChange(this.progress);
  }
}

function isFinal(thrown: unknown): boolean {
  if (!(thrown instanceof ApiError)) return false;
  return FINAL.has(thrown.code) || (thrown.status >= 400 && thrown.status < 500 && ![401, 408, 409, 429].includes(thrown.status));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
