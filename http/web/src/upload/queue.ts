/**
 * Every upload of this page, whatever page of the app is looked at. Two files are sent at once; the others wait. What a
 * closed tab left behind is on the server: `adopt` brings it back as something to go on with.
 */
import { asApiError } from "../api/errors";
import { abortUpload, completeUpload, openUpload, signParts, uploadState, type Upload, type Video } from "../api/videos";
import { randomId } from "../session/device";
import { fileAgain, forgetHandle, rememberHandle } from "./handles";
import { hex, partsOf, refusal, titleOf } from "./parts";
import { put } from "./put";
import { Transfer, type Progress, type TransferState, type UploadCalls } from "./transfer";

export interface QueuedUpload {
  key: string;
  videoId: string | null;
  name: string;
  title: string;
  sizeBytes: number;
  /** "opening": the server is being asked; "waiting": for its turn; "left": a closed tab's, its file is needed again. */
  state: TransferState | "opening" | "waiting" | "left";
  sentBytes: number;
  bytesPerSecond: number | null;
  problem: string | null;
}

const AT_ONCE = 2;
const calls: UploadCalls = { sign: signParts, state: uploadState, complete: completeUpload, abort: abortUpload, put };

let all: readonly QueuedUpload[] = [];
const transfers = new Map<string, Transfer>();
const files = new Map<string, File>();
const listeners = new Set<() => void>();
const onDone = new Set<(video: Video) => void>();

export const uploads = () => all;

export function watchUploads(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function whenUploaded(listener: (video: Video) => void): () => void {
  onDone.add(listener);
  return () => onDone.delete(listener);
}

/** Begin to send these files. Those that cannot be videos stay in the list with the reason. */
export function addFiles(chosen: { file: File; handle: FileSystemFileHandle | null }[]): void {
  askBeforeLeaving();
  for (const { file, handle } of chosen) {
    const upload: QueuedUpload = {
      key: randomId(), videoId: null, name: file.name, title: titleOf(file.name), sizeBytes: file.size,
      state: "opening", sentBytes: 0, bytesPerSecond: null, problem: refusal(file),
    };
    if (upload.problem) upload.state = "failed";
    files.set(upload.key, file);
    all = [...all, upload];
    if (!upload.problem) void open(upload.key, file, handle);
  }
  tell();
}

async function open(key: string, file: File, handle: FileSystemFileHandle | null): Promise<void> {
  try {
    const wanted = { title: titleOf(file.name), file_name: file.name, size_bytes: file.size, content_type: file.type || null };
    const { video, upload } = await openUpload(wanted, key);
    if (!all.some((each) => each.key === key)) {
      await abortUpload(video.id); // removed from the list while the server was asked
      return;
    }
    if (handle) void rememberHandle(video.id, handle);
    change(key, { videoId: video.id });
    begin(key, video.id, file, upload);
  } catch (thrown) {
    change(key, { state: "failed", problem: asApiError(thrown).message });
  }
}

function begin(key: string, videoId: string, file: File, upload: Upload): void {
  const transfer = new Transfer(videoId, file, upload, calls, (progress) => progressed(key, progress), (video) => finished(key, video));
  transfers.set(key, transfer);
  change(key, { ...transfer.progress, state: "waiting" });
  next();
}

/** Unfinished ones of the account that this page does not know: from another tab, another day, another device. */
export function adopt(found: { video: Video; upload: Upload }[]): void {
  const known = new Set(all.map((each) => each.videoId));
  const left = found.filter(({ video, upload }) => upload.state === "open" && !known.has(video.id));
  if (left.length === 0) return;
  all = [...all, ...left.map(({ video, upload }): QueuedUpload => ({
    key: video.id, videoId: video.id, name: upload.file_name, title: video.title, sizeBytes: upload.size_bytes, state: "left",
    sentBytes: upload.received.reduce((sum, part) => sum + part.size_bytes, 0), bytesPerSecond: null, problem: null,
  }))];
  tell();
}

/** Go on with one that a closed tab left. Without `chosen` the browser is asked whether it remembers the file. */
export async function resumeLeft(key: string, chosen: File | null): Promise<"going on" | "choose the file"> {
  const upload = all.find((each) => each.key === key);
  if (!upload?.videoId) return "going on";
  askBeforeLeaving();
  const file = chosen ?? (await fileAgain(upload.videoId));
  if (!file) return "choose the file";
  change(key, { problem: null });
  try {
    const state = await uploadState(upload.videoId);
    const different = await differs(file, state);
    if (different) {
      change(key, { problem: different });
      return "going on";
    }
    files.set(key, file);
    begin(key, upload.videoId, file, state);
  } catch (thrown) {
    change(key, { problem: asApiError(thrown).message });
  }
  return "going on";
}

/** Why this cannot be the file whose parts are there already: a mixture of two files would be no video. */
async function differs(file: File, upload: Upload): Promise<string | null> {
  if (file.size !== upload.size_bytes) return `That is another file: ${upload.file_name} has another size.`;
  const parts = partsOf(file.size, upload.part_bytes);
  const last = upload.received.length - 1;
  for (const there of new Set([upload.received[0], upload.received[last]])) {
    const part = there && parts[there.number - 1];
    if (!part || !there.sha256) continue;
    const sum = hex(await crypto.subtle.digest("SHA-256", await file.slice(part.start, part.end).arrayBuffer()));
    if (sum !== there.sha256) return `That is another file than ${upload.file_name}, or it was changed since.`;
  }
  return null;
}

export function pauseUpload(key: string): void {
  const transfer = transfers.get(key);
  transfer?.pause();
  if (all.find((each) => each.key === key)?.state === "waiting") change(key, { state: "paused" });
}

export function resumeUpload(key: string): void {
  const upload = all.find((each) => each.key === key);
  const file = files.get(key);
  if (upload && !upload.videoId && file) {
    change(key, { state: "opening", problem: null });
    void open(key, file, null);
    return;
  }
  change(key, { state: "waiting", problem: null });
  next();
}

/** Stop it for good; nothing of it stays in storage. One that failed or is done only leaves the list. */
export async function removeUpload(key: string): Promise<void> {
  const upload = all.find((each) => each.key === key);
  const transfer = transfers.get(key);
  all = all.filter((each) => each.key !== key);
  transfers.delete(key);
  files.delete(key);
  tell();
  if (!upload?.videoId || upload.state === "done") return;
  void forgetHandle(upload.videoId);
  await (transfer ? transfer.abort() : abortUpload(upload.videoId));
  next();
}

function next(): void {
  const busy = all.filter((each) => each.state === "sending" || each.state === "offline" || each.state === "finishing").length;
  for (const upload of all.filter((each) => each.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy))) {
    void transfers.get(upload.key)?.start();
  }
}

function progressed(key: string, progress: Progress): void {
  change(key, progress);
  if (!["sending", "offline"].includes(progress.state)) next();
}

function finished(key: string, video: Video): void {
  void forgetHandle(video.id);
  change(key, { state: "done" });
  for (const listener of onDone) listener(video);
}

function change(key: string, news: Partial<QueuedUpload>): void {
  all = all.map((each) => (each.key === key ? { ...each, ...news } : each));
  tell();
}

let told = false;

/** Once a frame: three parts on their way report dozens of times a second. */
function tell(): void {
  if (told) return;
  told = true;
  setTimeout(() => {
    told = false;
    for (const listener of listeners) listener();
  }, 50);
}

const GOING = new Set<QueuedUpload["state"]>(["opening", "waiting", "sending", "offline", "finishing"]);
let asking = false;

/** Leaving the page while something is sent is asked about once more; nothing is lost either way. */
function askBeforeLeaving(): void {
  if (asking) return;
  asking = true;
  addEventListener("beforeunload", (event) => {
    if (all.some((each) => GOING.has(each.state))) event.preventDefault();
  });
}
