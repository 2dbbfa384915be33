/**
 * The one socket of this page, opened when the first room is joined. socket.io-client is loaded then, not before.
 *
 * It comes back by itself after a lost connection. After a disconnect by the server it does what `session:closing` or
 * the close code says (`comeBack.ts`): refresh first, move before the server stops, or stay away until the person asks.
 */
import type { Socket } from "socket.io-client";
import { refreshSession } from "../api/client";
import { deviceId } from "../session/device";
import { backoffMs } from "./backoff";
import { closeCodeOf, whatNext } from "./comeBack";
import type { ClientEvents, ConnectError, ServerEvents, SessionClosing } from "./events";

export type LiveSocket = Socket<ServerEvents, ClientEvents>;

export type Link = "connecting" | "connected" | "reconnecting" | "closed";

/** A refused handshake: the session may only need a refresh. */
const REFRESH_FIRST = new Set(["auth.token_expired", "auth.session_over"]);

/** `because` says why the server wants us to stay away, when the link is closed. */
type LinkListener = (link: Link, because: string | null) => void;

let opening: Promise<LiveSocket> | null = null;
let link: Link = "connecting";
let because: string | null = null;
const listeners = new Set<LinkListener>();

export function sharedSocket(): Promise<LiveSocket> {
  opening ??= open().catch((reason: unknown) => {
    opening = null; // the script could not be loaded; the next caller tries again
    throw reason;
  });
  return opening;
}

export function watchLink(listener: LinkListener): () => void {
  listeners.add(listener);
  listener(link, because);
  return () => listeners.delete(listener);
}

/** The person signed in or out, or wants to come back: a new handshake carries the cookies of now. */
export function reconnectAs(): void {
  void opening?.then((socket) => socket.disconnect().connect());
}

function setLink(next: Link, why: string | null = null): void {
  link = next;
  because = why;
  for (const listener of listeners) listener(next, why);
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
    if (last.code !== "node.draining") return;
    // Moved by ourselves within the delay, nobody waits: the next server answers with what was said in between.
    clearTimeout(timer);
    timer = setTimeout(() => socket.disconnect().connect(), last.delay_ms);
  });
  socket.on("connect_error", (error: Error & Partial<ConnectError>) => {
    setLink("reconnecting");
    if (socket.active) return; // the library is already trying again
    if (REFRESH_FIRST.has(error.data?.code ?? "")) void refreshThenComeBack();
    else comeBack(backoffMs(attempt++));
  });
  socket.on("disconnect", (reason, details) => {
    const next = whatNext(closing, closeCodeOf(details));
    closing = null;
    if (reason === "io client disconnect") return;
    if (next.do === "stay away") {
      clearTimeout(timer);
      socket.disconnect();
      setLink("closed", next.because);
      return;
    }
    setLink("reconnecting");
    if (next.do === "refresh") {
      socket.disconnect();
      void refreshThenComeBack();
    } else if (!socket.active || next.afterMs) {
      comeBack(Math.max(next.afterMs, backoffMs(attempt++, { first: 500 })));
    }
  });
}
