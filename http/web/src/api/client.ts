/**
 * Calls to the API. The browser holds the session in cookies that script cannot read, so there is nothing to store:
 * a 401 means "refresh once and try again", and one refresh serves every call and every tab that needs it.
 */
import { ApiError, errorFrom, offlineError } from "./errors";
import type { SessionAnswer } from "./types";

const BASE = "/api/v1";
const SIGNED_IN = "footlight.signed_in";
const REFRESHED_AT = "footlight.refreshed_at";
const TIMEOUT_MS = 15_000;
const FILE_TIMEOUT_MS = 120_000;

export interface CallOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  /** Sent as it is, as `type`, instead of a JSON body. */
  file?: Blob;
  type?: string;
  headers?: Record<string, string>;
  /** Goes out although the page is being left. */
  keepalive?: boolean;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
  /** False for calls where a 401 is about what was typed, not about the session. */
  refresh?: boolean;
}

/** Call the API; throws ApiError. `undefined` for an answer without a body. */
export async function call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
  const asked = Date.now();
  try {
    return await once<Answer>(path, options);
  } catch (error) {
    const worthRefreshing = error instanceof ApiError && error.status === 401 && options.refresh !== false && wasSignedIn();
    if (!worthRefreshing || !(await refreshSession(asked))) throw error;
    return once<Answer>(path, options);
  }
}

async function once<Answer>(path: string, options: CallOptions): Promise<Answer> {
  const { method = "GET", signal, keepalive = false } = options;
  const timeout = AbortSignal.timeout(options.timeoutMs ?? (options.file ? FILE_TIMEOUT_MS : TIMEOUT_MS));
  const init: RequestInit = {
    method,
    keepalive,
    credentials: "same-origin",
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    ...content(options),
  };
  const answer = await fetch(`${BASE}${path}`, init).catch((reason: unknown) => {
    if (signal?.aborted) throw reason;
    throw offlineError();
  });
  if (answer.status === 204) return undefined as Answer;
  const parsed: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw errorFrom(answer.status, parsed);
  return parsed as Answer;
}

function content({ body, file, type = "", headers = {} }: CallOptions): RequestInit {
  const accepting = { accept: "application/json", ...headers };
  if (file) return { headers: { ...accepting, "content-type": type }, body: file };
  if (body === undefined) return { headers: accepting };
  return { headers: { ...accepting, "content-type": "application/json" }, body: JSON.stringify(body) };
}

let refreshing: Promise<boolean> | null = null;
let onSessionOver: () => void = () => {};

/** Told when the session is over for good: the refresh token was refused. */
export function whenSessionIsOver(listener: () => void): void {
  onSessionOver = listener;
}

/** Get fresh cookies. One at a time over all tabs; a tab that waited for another's refresh uses that one's. */
export function refreshSession(since = Date.now()): Promise<boolean> {
  refreshing ??= withTabLock(() => refreshUnlessDone(since)).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refreshUnlessDone(since: number): Promise<boolean> {
  if (Number(recall(REFRESHED_AT)) > since) return true;
  try {
    await once<SessionAnswer>("/auth/refresh", { method: "POST" });
    rememberSignedIn(true);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      rememberSignedIn(false);
      onSessionOver();
    }
    return false;
  }
}

function withTabLock(work: () => Promise<boolean>): Promise<boolean> {
  return navigator.locks ? navigator.locks.request("footlight.refresh", work) : work();
}

/** A hint, not a secret: without it every anonymous visit would cost a refresh that must fail. */
export function rememberSignedIn(signedIn: boolean): void {
  try {
    if (signedIn) {
      localStorage.setItem(SIGNED_IN, "1");
      localStorage.setItem(REFRESHED_AT, String(Date.now()));
    } else {
      localStorage.removeItem(SIGNED_IN);
    }
  } catch {
    // Storage can be forbidden; then a session lasts as long as its access cookie.
  }
}

export const wasSignedIn = () => recall(SIGNED_IN) === "1";

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
