/** One room, live: joins, keeps in step, joins again after a hole or a lost connection, and sends messages. */
import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import type { Socket } from "socket.io-client";
import { ApiError, asApiError } from "../api/errors";
import type { Entry, ErrorBody, JoinAnswer, RoomStatus } from "../api/types";
import { randomId } from "../session/device";
import { backoffMs } from "./backoff";
import { emptyRoom, reduceRoom, type Room, type RoomAction } from "./room";
import { sharedSocket, watchLink, type Link } from "./socket";

const ACK_TIMEOUT_MS = 8_000;

type Answer<T> = ({ ok: true } & T) | { ok: false; error: ErrorBody };

export interface LiveRoom {
  room: Room;
  link: Link;
  /** Why the room could not be joined, until it could. */
  refused: ApiError | null;
  /** Resolves when stored; rejects with the server's refusal. A lost connection leaves the message pending. */
  send: (text: string) => Promise<void>;
  /** Send a pending message again under its id; a refusal stands on its line. */
  resend: (id: string, text: string) => void;
  forget: (id: string) => void;
}

async function ask<T>(socket: Socket, event: string, body: object): Promise<T> {
  const answer = (await socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, body)) as Answer<T>;
  if (answer.ok) return answer;
  throw new ApiError(400, answer.error);
}

export function useRoom(streamId: string): LiveRoom {
  const [room, dispatch] = useReducer(reduceRoom, emptyRoom);
  const [link, setLink] = useState<Link>("connecting");
  const [refused, setRefused] = useState<ApiError | null>(null);
  const latest = useRef(room);
  latest.current = room;

  useEffect(() => watchLink(setLink), []);
  const rejoin = useRef(() => {});
  useEffect(() => {
    const entered = enterRoom(streamId, dispatch, () => latest.current, setRefused);
    rejoin.current = entered.rejoin;
    return entered.leave;
  }, [streamId]);
  useEffect(() => {
    if (room.stale) rejoin.current();
  }, [room.stale]);

  const deliver = useCallback(
    async (text: string, id: string) => {
      const user = latest.current.me?.user;
      if (!user) return;
      dispatch({ type: "sending", message: { id, text, user, at: Date.now() } });
      const answered = sharedSocket().then((socket) => ask(socket, "chat:send", { stream_id: streamId, id, text }));
      await answered.then(
        () => dispatch({ type: "acked", id }),
        (thrown: unknown) => {
          if (thrown instanceof ApiError) throw thrown;
          dispatch({ type: "failed", id, reason: "Not sent: the connection was lost." });
        },
      );
    },
    [streamId],
  );
  const send = useCallback(
    async (text: string) => {
      const id = randomId();
      await deliver(text, id).catch((refusal: unknown) => {
        dispatch({ type: "forget", id });
        throw refusal;
      });
    },
    [deliver],
  );
  const resend = useCallback(
    (id: string, text: string) => {
      deliver(text, id).catch((thrown: unknown) => dispatch({ type: "failed", id, reason: asApiError(thrown).message }));
    },
    [deliver],
  );
  const forget = useCallback((id: string) => dispatch({ type: "forget", id }), []);
  return { room, link, refused, send, resend, forget };
}

type Dispatch = (action: RoomAction) => void;

/** Join and follow one room until `leave` is called. */
function enterRoom(streamId: string, dispatch: Dispatch, current: () => Room, onRefused: (error: ApiError | null) => void) {
  let left = false;
  let joining = false;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let undo = () => {};
  let rejoin = () => {};

  const later = (join: () => void, waitMs: number) => {
    clearTimeout(retry);
    retry = setTimeout(join, waitMs);
  };

  const follow = (socket: Socket) => {
    const join = async () => {
      if (joining || left || !socket.connected) return;
      joining = true;
      const { epoch, offset } = current();
      try {
        const place = epoch === null ? {} : { epoch, offset };
        const answer = await ask<JoinAnswer>(socket, "room:join", { stream_id: streamId, ...place });
        if (left) return;
        attempt = 0;
        onRefused(null);
        dispatch({ type: "joined", answer });
      } catch (thrown) {
        if (left) return;
        if (thrown instanceof ApiError) onRefused(thrown);
        const final = thrown instanceof ApiError && (thrown.code === "room.not_found" || thrown.code === "request.invalid");
        if (!final) later(join, thrown instanceof ApiError ? (thrown.retryAfterMs ?? backoffMs(attempt++)) : backoffMs(attempt++));
      } finally {
        joining = false;
      }
    };
    rejoin = () => void join();
    const frames = perFrame<Entry>((entries) => dispatch({ type: "entries", entries }));
    const mine = (body: { stream_id: string }) => body.stream_id === streamId;
    const handlers: [string, (body: never) => void][] = [
      ["connect", () => void join()],
      ["disconnect", () => dispatch({ type: "disconnected" })],
      ["chat", (entries: Entry[]) => frames.add(entries.filter(mine))],
      ["room:viewers", (body: { stream_id: string; viewers: number }) => mine(body) && dispatch({ type: "viewers", viewers: body.viewers })],
      ["room:status", (body: RoomStatus) => mine(body) && dispatch({ type: "status", status: body })],
      ["room:reset", (body: { stream_id: string }) => mine(body) && dispatch({ type: "reset" })],
    ];
    for (const [event, handler] of handlers) socket.on(event, handler as (body: unknown) => void);
    void join();
    return () => {
      for (const [event, handler] of handlers) socket.off(event, handler as (body: unknown) => void);
      frames.cancel();
      if (socket.connected) socket.emit("room:leave", { stream_id: streamId }, () => {});
    };
  };

  const begin = () => {
    sharedSocket().then(
      (socket) => {
        if (!left) undo = follow(socket);
      },
      () => later(begin, backoffMs(attempt++)),
    );
  };
  begin();
  const leave = () => {
    left = true;
    clearTimeout(retry);
    undo();
  };
  return { leave, rejoin: () => rejoin() };
}

/** Collect what arrives and hand it on once a frame; in a hidden tab, where frames stop, once a second. */
function perFrame<Item>(deliver: (items: Item[]) => void) {
  let waiting: Item[] = [];
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    const items = waiting;
    waiting = [];
    if (items.length) deliver(items);
  };
  return {
    add(items: Item[]) {
      waiting = [...waiting, ...items];
      if (frame || waiting.length === 0) return;
      frame = requestAnimationFrame(flush);
      timer = setTimeout(flush, 1000);
    },
    cancel() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}
