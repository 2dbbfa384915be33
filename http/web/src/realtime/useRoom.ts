/** One room, live: joins, keeps in step, joins again after a hole or a lost connection, and sends messages. */
import { useCallback, useEffect, useMemo, useReducer, useRef, useState, type RefObject } from "react";
import { ApiError, asApiError, offlineError } from "../api/errors";
import { randomId } from "../session/device";
import { backoffMs } from "./backoff";
import type { Chatters, ClientEvents, Entry, Me, ModActed, ModHeld, ReplyTo, ServerEvents } from "./events";
import { emptyRoom, reduceRoom, type Loss, type Pending, type Room, type RoomAction } from "./room";
import { sharedSocket, watchLink, type Link, type LiveSocket } from "./socket";

const ACK_TIMEOUT_MS = 8_000;
/** A log that is lost is lost for the whole room: its viewers come back over this time, not all at once. */
const RESET_SPREAD_MS = 800;
/** Who may hear what only moderators hear (realtime/moderation/capabilities.py). */
const SEES_DESK = "see_private";

type Body<Name extends keyof ClientEvents> = Parameters<ClientEvents[Name]>[0];
type Answer<Name extends keyof ClientEvents> = Parameters<Parameters<ClientEvents[Name]>[1]>[0];
export type Granted<Name extends keyof ClientEvents> = Extract<Answer<Name>, { ok: true }>;

export interface RoomOptions {
  /** Hear what only moderators hear, and keep the text of what is removed. */
  desk?: boolean;
}

export interface SendOptions {
  /** They did it: `/me`. */
  me?: boolean;
  replyTo?: ReplyTo | null;
}

/** Ask for any event of a room; `stream_id` is filled in. Rejects with an ApiError, also when no answer came. */
export type Act = <Name extends keyof ClientEvents>(event: Name, body: Omit<Body<Name>, "stream_id">) => Promise<Granted<Name>>;

export type DeskNews = { event: "mod:acted"; body: ModActed } | { event: "mod:held"; body: ModHeld };
type DeskListener = (news: DeskNews) => void;

export interface LiveRoom {
  room: Room;
  link: Link;
  /** Why the server wants us to stay away, when it does. */
  closedBecause: string | null;
  /** Why the room could not be joined, until it could. */
  refused: ApiError | null;
  /** Resolves when stored; rejects with the server's refusal. A lost connection leaves the message pending. */
  send: (text: string, options?: SendOptions) => Promise<void>;
  /** Send a pending message again under its id; a refusal stands on its line. */
  resend: (id: string, text: string) => void;
  forget: (id: string) => void;
  /** A page of who is here, after the page whose `next` is given. */
  whoIsHere: (after: string | null) => Promise<Chatters>;
  act: Act;
  /** Hear `mod:acted` and `mod:held` until what is returned is called; only with `desk`, and only moderators do. */
  onDesk: (listener: DeskListener) => () => void;
  /** What one is and may do here; `user` has the role. */
  you: Me | null;
  /** Own messages that a moderator has to see first, and what became of them. */
  held: Pending[];
  /** While somebody reads further up, or is about to act on a line: older lines stay longer. */
  hold: (on: boolean) => void;
}

async function ask<Name extends keyof ClientEvents>(socket: LiveSocket, event: Name, body: Body<Name>): Promise<Granted<Name>> {
  const emit = socket.timeout(ACK_TIMEOUT_MS) as unknown as { emitWithAck(event: Name, body: Body<Name>): Promise<Answer<Name>> };
  const answer = await emit.emitWithAck(event, body);
  if (answer.ok) return answer as Granted<Name>;
  throw new ApiError(400, answer.error);
}

const HELD_STATES = new Set<Pending["state"]>(["held", "approved", "denied", "expired"]);

export function useRoom(streamId: string, { desk = false }: RoomOptions = {}): LiveRoom {
  const [room, dispatch] = useReducer(reduceRoom, { ...emptyRoom, keepRemoved: desk });
  const [[link, closedBecause], setLink] = useState<[Link, string | null]>(["connecting", null]);
  const [refused, setRefused] = useState<ApiError | null>(null);
  const latest = useRef(room);
  latest.current = room;

  useEffect(() => watchLink((...now) => setLink(now)), []);
  const mend = useRef((_: Loss) => {});
  const listeners = useRef(new Set<DeskListener>());
  useEffect(() => {
    const onNews = (news: DeskNews) => listeners.current.forEach((listener) => listener(news));
    const entered = enterRoom({ streamId, desk, dispatch, current: () => latest.current, onRefused: setRefused, onNews });
    mend.current = entered.mend;
    return entered.leave;
  }, [streamId, desk]);
  useEffect(() => {
    if (room.loss) mend.current(room.loss);
  }, [room.loss]);

  const act = useCallback<Act>((event, body) => askRoom(streamId, event, body), [streamId]);
  const onDesk = useCallback((listener: DeskListener) => {
    listeners.current.add(listener);
    return () => void listeners.current.delete(listener);
  }, []);
  const hold = useCallback((on: boolean) => {
    if (latest.current.held !== on) dispatch({ type: "hold", on });
  }, []);
  const own = useOwnMessages(streamId, dispatch, latest);
  const whoIsHere = useCallback((after: string | null) => act("room:chatters", { after }), [act]);
  const held = useMemo(() => room.pending.filter((message) => HELD_STATES.has(message.state)), [room.pending]);
  return { room, link, closedBecause, refused, ...own, whoIsHere, act, onDesk, you: room.me, held, hold };
}

async function askRoom<Name extends keyof ClientEvents>(streamId: string, event: Name, body: Omit<Body<Name>, "stream_id">): Promise<Granted<Name>> {
  try {
    return await ask(await sharedSocket(), event, { ...body, stream_id: streamId } as Body<Name>);
  } catch (thrown) {
    throw thrown instanceof ApiError ? thrown : offlineError();
  }
}

function useOwnMessages(streamId: string, dispatch: Dispatch, latest: RefObject<Room>) {
  const deliver = useCallback(
    async (id: string, text: string, { me = false, replyTo }: SendOptions) => {
      const user = latest.current.me?.user;
      if (!user) return;
      const more = { ...(me ? { me } : {}), ...(replyTo ? { replyTo } : {}) };
      dispatch({ type: "sending", message: { id, text, user, at: Date.now(), ...more } });
      if (!latest.current.joined) return; // on its way between two nodes: it goes out with the next join
      const body = { stream_id: streamId, id, text, ...(me ? { me } : {}), ...(replyTo ? { reply_to: replyTo } : {}) };
      const answered = sharedSocket().then((socket) => ask(socket, "chat:send", body));
      await answered.then(
        ({ held }) => dispatch({ type: "acked", id, held }),
        (thrown: unknown) => {
          // Sent on a new connection before its room was joined; the join that follows sends it again.
          const early = thrown instanceof ApiError && thrown.code === "room.not_joined";
          if (thrown instanceof ApiError && !early) throw thrown;
          dispatch({ type: "failed", id, reason: "Not sent: the connection was lost." });
        },
      );
    },
    [streamId, dispatch, latest],
  );
  const send = useCallback(
    async (text: string, options: SendOptions = {}) => {
      const id = randomId();
      await deliver(id, text, options).catch((refusal: unknown) => {
        dispatch({ type: "forget", id });
        throw refusal;
      });
    },
    [deliver, dispatch],
  );
  const resend = useCallback(
    (id: string, text: string) => {
      const sent = latest.current.pending.find((message) => message.id === id);
      deliver(id, text, sent ?? {}).catch((thrown: unknown) => dispatch({ type: "failed", id, reason: asApiError(thrown).message }));
    },
    [deliver, dispatch, latest],
  );
  const forget = useCallback((id: string) => dispatch({ type: "forget", id }), [dispatch]);
  return { send, resend, forget };
}

type Dispatch = (action: RoomAction) => void;

interface Entering {
  streamId: string;
  desk: boolean;
  dispatch: Dispatch;
  current: () => Room;
  onRefused: (error: ApiError | null) => void;
  onNews: DeskListener;
}

/** Asking again brings no other answer. */
const FINAL = ["room.not_found", "room.premium", "request.invalid"];

/** Join and follow one room until `leave` is called. */
function enterRoom({ streamId, desk, dispatch, current, onRefused, onNews }: Entering) {
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
        const answer = await ask(socket, "room:join", { stream_id: streamId, ...place, ...(desk ? { desk } : {}) });
        if (left) return;
        attempt = 0;
        onRefused(null);
        tell({ type: "joined", answer, asked: loss });
      } catch (thrown) {
        if (left) return;
        if (thrown instanceof ApiError) onRefused(thrown);
        const final = thrown instanceof ApiError && FINAL.includes(thrown.code);
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
    const tellDesk = (news: DeskNews) => {
      if (news.body.stream_id !== streamId) return;
      frames.flush();
      onNews(news);
    };
    const handlers: Omit<ServerEvents, "session:closing" | "studio:video"> & { connect: () => void; disconnect: () => void } = {
      connect: () => void join(),
      disconnect: () => tell({ type: "disconnected" }),
      chat: (entries) => frames.add(entries.filter((entry) => entry.stream_id === streamId)),
      "room:viewers": (body) => tellMine(body, { type: "viewers", viewers: body.viewers }),
      "room:status": (body) => tellMine(body, { type: "status", status: body }),
      "room:you": (body) => {
        const sees = current().me?.capabilities.includes(SEES_DESK);
        tellMine(body, { type: "you", you: body });
        // Made a moderator a moment ago: the desk is asked for again.
        if (desk && body.stream_id === streamId && !sees && body.capabilities.includes(SEES_DESK)) void join();
      },
      "room:removed": (body) => tellMine(body, { type: "removed", removed: body }),
      "room:poll": (body) => tellMine(body, { type: "votes", votes: body }),
      "room:reactions": (body) => tellMine(body, { type: "reactions", reactions: body }),
      "chat:held": (body) => tellMine(body, { type: "held", held: body }),
      "mod:acted": (body) => tellDesk({ event: "mod:acted", body }),
      "mod:held": (body) => tellDesk({ event: "mod:held", body }),
      "room:refused": (body) => {
        if (body.stream_id !== streamId) return;
        onRefused(new ApiError(403, { code: body.code, message: body.message }));
        tell({ type: "disconnected" });
      },
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
