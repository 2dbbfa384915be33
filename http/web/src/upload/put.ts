/** Send one part to storage. XMLHttpRequest and not fetch: only it tells how much has left. */
import type { UploadUrl } from "../api/videos";
import { StorageRefused } from "./transfer";

/** Longer than this without a byte moving and the connection is dead, whatever it says. */
const STALLED_MS = 30_000;

export function put(to: UploadUrl, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let stalled: ReturnType<typeof setTimeout>;
    const watch = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALLED_MS);
    };
    const end = (settle: () => void) => {
      clearTimeout(stalled);
      signal.removeEventListener("abort", stop);
      settle();
    };
    const stop = () => request.abort();
    request.open("PUT", to.url);
    for (const [name, value] of Object.entries(to.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      watch();
      onSent(event.loaded);
    };
    request.onload = () => end(() => (request.status >= 200 && request.status < 300 ? resolve() : reject(new StorageRefused(request.status))));
    request.onerror = () => end(() => reject(new StorageRefused(0)));
    request.onabort = () => end(() => reject(new StorageRefused(0)));
    signal.addEventListener("abort", stop);
    watch();
    request.send(body);
  });
}
