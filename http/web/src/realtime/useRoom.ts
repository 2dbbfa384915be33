/** One room, live: joins, keeps in step, joins again after a hole or a lost connection, and sends messages. */
import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { ApiError, asApiError } from "../api/errors";
import { randomId } from "../session/device";
import { backoffMs } from "./backoff";
import type { Chatters, ClientEvents, Entry, ServerEvents } from "./events";
import { emptyRoom, reduceRoom, type Loss, type Room, type RoomAction } from "./room";
import { sharedSocket, watchLink, type Link, type LiveSocket } from "./socket";

const ACK_TIMEOUT_MS = 8_000;
/** A log that is lost is lost for the whole room: its viewers come back over this time, not all at once. */
const RESET_SPREAD_MS = 800;

type Body<Name extends keyof ClientEvents> = Parameters<ClientEvents[Name]>[0];
type Answer<Name extends keyof ClientEvents> = Parameters<Parameters<ClientEvents[Name]>[1]>[0];
type Granted<Name extends keyof ClientEvents> = Extract<Answer<Name>, { ok: true }>;

export interface LiveRoom {
  room: Room;
  link: Link;
  /** Why the server wants us to stay away, when it does. */
  closedBecause: string | null;
  /** Why the room could not be joined, until it could. */
  refused: ApiError | null;
  /** Resolves when stored; rejects with the server's refusal. A lost connection leaves the message pending. */
  send: (text: string) => Promise<void>;
  /** Send a pending message again under its id; a refusal stands on its line. */
  resend: (id: string, text: string) => void;
  forget: (id: string) => void;
  /** A page of who is here, after the page whose `next` is given. */
  whoIsHere: (after: string | null) => Promise<Chatters>;
}

async function ask<Name extends keyof ClientEvents>(socket: LiveSocket, event: Name, body: Body<Name>): Promise<Granted<Name>> {
  const emit = socket.timeout(ACK_TIMEOUT_MS) as unknown as { emitWithAck(event: Name, body: Body<Name>): Promise<Answer<Name>> };
  const answer = await emit.emitWithAck(event, body);
  if (answer.ok) return answer as Granted<Name>;
  throw new ApiError(400, answer.error);
}

export function useRoom(streamId: string): LiveRoom {
  const [room, dispatch] = useReducer(reduceRoom, emptyRoom);
  const [[link, closedBecause], setLink] = useState<[Link, string | null]>(["connecting", null]);
  const [refused, setRefused] = useState<ApiError | null>(null);
  const latest = useRef(room);
  latest.current = room;

  useEffect(() => watchLink((...now) => setLink(now)), []);
  const mend = useRef((_: Loss) => {});
  useEffect(() => {
    const entered = enterRoom(streamId, dispatch, () => latest.current, setRefused);
    mend.current = entered.mend;
    return entered.leave;
  }, [streamId]);
  useEffect(() => {
    if (room.loss) mend.current(room.loss);
  }, [room.loss]);

  const deliver = useCallback(
    async (text: string, id: string) => {
      const user = latest.current.me?.user;
      if (!user) return;
      dispatch({ type: "sending", message: { id, text, user, at: Date.now() } });
      if (!latest.current.joined) return; // on its way between two nodes: it goes out with the next join
      const answered = sharedSocket().then((socket) => ask(socket, "chat:send", { stream_id: streamId, id, text }));
      await answered.then(
        () => dispatch({ type: "acked", id }),
        (thrown: unknown) => {
          // Sent on a new connection before its room was joined; the join that follows sends it again.
          const early = thrown instanceof ApiError && thrown.code === "room.not_joined";
          if (thrown instanceof ApiError && !early) throw thrown;
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
  const whoIsHere = useCallback(
    async (after: string | null) => ask(await sharedSocket(), "room:chatters", { stream_id: streamId, after }),
    [streamId],
  );
  return { room, link, closedBecause, refused, send, resend, forget, whoIsHere };
}

type Dispatch = (action: RoomAction) => void;

/** Join and follow one room until `leave` is called. */
function enterRoom(streamId: string, dispatch: Dispatch, current: () => Room, onRefused: (error: ApiError | null) => void) {
  let left = false;
  let joining = false;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let undo = () => {};
  let mend = (_: Loss) => {};

  const later = (join: () => void, waitMs: number) => {
    clearTimeout(retry);
    retry = setTimeout(join, waitMs);
  };

  const follow = (socket: LiveSocket) => {
    const join = async () => {
      if (joining || left || !socket.connected) return;
      joining = true;
      const { epoch, offset, loss } = current();
      try {
        const place = epoch === null ? {} : { epoch, offset };
        const answer = await ask(socket, "room:join", { stream_id: streamId, ...place });
        if (left) return;
        attempt = 0;
        onRefused(null);
        tell({ type: "joined", answer, asked: loss });
      } catch (thrown) {
        if (left) return;
        if (thrown instanceof ApiError) onRefused(thrown);
        const final = thrown instanceof ApiError && (thrown.code === "room.not_found" || thrown.code === "request.invalid");
        if (!final) later(join, thrown instanceof ApiError ? (thrown.retryAfterMs ?? backoffMs(attempt++)) : backoffMs(attempt++));
      } finally {
        joining = false;
      }
    };
    mend = ({ why }) => (why === "reset" ? later(() => void join(), Math.random() * RESET_SPREAD_MS) : void join());
    const frames = perFrame<Entry>((entries) => dispatch({ type: "entries", entries }));
    /** What comes after entries is applied after them, though they wait for the next frame of the screen. */
    const tell: Dispatch = (action) => {
      frames.flush();
      dispatch(action);
    };
    const tellMine = (body: { stream_id: string }, action: RoomAction) => {
      if (body.stream_id === streamId) tell(action);
    };
    const handlers: Omit<ServerEvents, "session:closing"> & { connect: () => void; disconnect: () => void } = {
      connect: () => void join(),
      disconnect: () => tell({ type: "disconnected" }),
      chat: (entries) => frames.add(entries.filter((entry) => entry.stream_id === streamId)),
      "room:viewers": (body) => tellMine(body, { type: "viewers", viewers: body.viewers }),
      "room:status": (body) => tellMine(body, { type: "status", status: body }),
      "room:reset": (body) => tellMine(body, { type: "reset" }),
      "room:lagged": (body) => tellMine(body, { type: "lagged" }),
    };
    const pairs = Object.entries(handlers) as [keyof typeof handlers, () => void][];
    for (const [event, handler] of pairs) socket.on(event, handler);
    void join();
    return () => {
      for (const [event, handler] of pairs) socket.off(event, handler);
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
  return { leave, mend: (loss: Loss) => mend(loss) };
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
    flush,
    cancel() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}
