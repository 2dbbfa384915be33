/** What is still to be sent of a file, and how fast it goes. Pure. */

export interface Part {
  number: number; // from 1, as S3 counts
  start: number;
  end: number;
}

export function partsOf(sizeBytes: number, partBytes: number): Part[] {
  const count = Math.max(1, Math.ceil(sizeBytes / partBytes));
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    start: index * partBytes,
    end: Math.min(sizeBytes, (index + 1) * partBytes),
  }));
}

export const missing = (parts: Part[], received: ReadonlySet<number>) => parts.filter((part) => !received.has(part.number));

export const bytesOf = (parts: Iterable<Part>) => Array.from(parts).reduce((sum, part) => sum + part.end - part.start, 0);

export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** How fast it went lately: bytes a second over the last `window` milliseconds, null before there is anything to say. */
export class Speed {
  private readonly seen: { at: number; bytes: number }[] = [];

  constructor(private readonly windowMs = 10_000) {}

  add(bytes: number, now: number): void {
    this.seen.push({ at: now, bytes });
    while (this.seen.length > 2 && this.seen[0]!.at < now - this.windowMs) this.seen.shift();
  }

  get bytesPerSecond(): number | null {
    const first = this.seen[0];
    const last = this.seen.at(-1);
    if (!first || !last || last.at - first.at < 500) return null;
    return Math.max(0, ((last.bytes - first.bytes) / (last.at - first.at)) * 1000);
  }

  reset(): void {
    this.seen.length = 0;
  }
}

/** 1536 -> "1.5 KB"; decimal units, as file managers of phones and Macs count. */
export function byteWords(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${value} ${value === 1 ? "byte" : "bytes"}` : `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** 42 -> "42 s left", 150 -> "3 min left". */
export function leftWords(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min left`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min left`;
}

/** "My holiday (final)_2.mp4" -> "My holiday (final) 2": a title to begin with. */
export function titleOf(fileName: string): string {
  const words = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/[_\s]+/g, " ").trim();
  return words.slice(0, 140) || "Untitled";
}

const VIDEO_NAMES = /\.(mp4|m4v|mov|mkv|webm|avi|ts|m2ts|mts|mpg|mpeg|flv|3gp|3g2)$/i;

/** Why a file cannot be sent, before a byte of it went; null when it can be tried. */
export function refusal(file: { name: string; type: string; size: number }): string | null {
  if (file.size === 0) return "This file is empty.";
  if (!file.type.startsWith("video/") && !VIDEO_NAMES.test(file.name)) return "This is not a video file.";
  return null;
}
