/**
 * The one socket of this page, opened when the first room is joined. socket.io-client is loaded then, not before.
 *
 * It comes back by itself after a lost connection. After a disconnect by the server it does what `session:closing` said:
 * refresh first, wait, or stay away until the person asks.
 */
import type { Socket } from "socket.io-client";
import { refreshSession } from "../api/client";
import { deviceId } from "../session/device";
import { backoffMs } from "./backoff";
import type { ClientEvents, ConnectError, ServerEvents, SessionClosing } from "./events";

export type LiveSocket = Socket<ServerEvents, ClientEvents>;

export type Link = "connecting" | "connected" | "reconnecting" | "closed";

const STAY_AWAY = new Set(["socket.misbehaved"]);
const REFRESH_FIRST = new Set(["auth.token_expired", "auth.session_over"]);

let opening: Promise<LiveSocket> | null = null;
let link: Link = "connecting";
const listeners = new Set<(link: Link) => void>();

export function sharedSocket(): Promise<LiveSocket> {
  opening ??= open().catch((reason: unknown) => {
    opening = null; // the script could not be loaded; the next caller tries again
    throw reason;
  });
  return opening;
}

export function watchLink(listener: (link: Link) => void): () => void {
  listeners.add(listener);
  listener(link);
  return () => listeners.delete(listener);
}

/** The person signed in or out: a new handshake carries the new cookies. */
export function reconnectAs(): void {
  void opening?.then((socket) => socket.disconnect().connect());
}

function setLink(next: Link): void {
  link = next;
  for (const listener of listeners) listener(next);
}

async function open(): Promise<LiveSocket> {
  const { io } = await import("socket.io-client");
  const socket: LiveSocket = io({
    path: "/socket.io",
    transports: ["websocket"],
    auth: { device: deviceId() },
    reconnectionDelay: 500,
    reconnectionDelayMax: 10_000,
    randomizationFactor: 0.5,
  });
  keepConnected(socket);
  return socket;
}

function keepConnected(socket: LiveSocket): void {
  let closing: SessionClosing | null = null;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const comeBack = (afterMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.connect(), afterMs);
  };
  const refreshThenComeBack = async () => {
    await refreshSession();
    comeBack(backoffMs(attempt++, { first: 200 }));
  };

  socket.on("connect", () => {
    clearTimeout(timer);
    attempt = 0;
    closing = null;
    setLink("connected");
  });
  socket.on("session:closing", (last) => {
    closing = last;
  });
  socket.on("connect_error", (error: Error & Partial<ConnectError>) => {
    setLink("reconnecting");
    if (socket.active) return; // the library is already trying again
    if (REFRESH_FIRST.has(error.data?.code ?? "")) void refreshThenComeBack();
    else comeBack(backoffMs(attempt++));
  });
  socket.on("disconnect", (reason) => {
    const last = closing;
    closing = null;
    if (reason === "io client disconnect") return;
    if (last && STAY_AWAY.has(last.code)) {
      socket.disconnect();
      setLink("closed");
      return;
    }
    setLink("reconnecting");
    if (last && REFRESH_FIRST.has(last.code)) {
      socket.disconnect();
      void refreshThenComeBack();
    } else if (!socket.active || last?.delay_ms) {
      comeBack(Math.max(last?.delay_ms ?? 0, backoffMs(attempt++, { first: 500 })));
    }
  });
}
