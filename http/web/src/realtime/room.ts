/**
 * What one viewer knows about one room, as a pure reducer.
 *
 * The highest offset seen decides: entries at or below it are repeats, an entry more than one above it means that a
 * frame was lost, and then nothing after the hole is shown until a new join has filled it.
 */
import type { ChatUser, Entry, JoinAnswer, RoomMe, RoomSettings, RoomStatus, RoomStream } from "../api/types";

/** Older lines leave the page: 500 lines of text stay quick to lay out on a phone. */
export const KEPT_ENTRIES = 500;

export type PendingState = "sending" | "sent" | "failed";

export interface Pending {
  id: string;
  text: string;
  user: ChatUser;
  at: number;
  state: PendingState;
  reason?: string;
}

export interface Room {
  joined: boolean;
  /** A frame was lost or the log was reset: join again. */
  stale: boolean;
  epoch: string | number | null;
  offset: number;
  entries: Entry[];
  pending: Pending[];
  viewers: number | null;
  stream: RoomStream | null;
  settings: RoomSettings;
  me: RoomMe | null;
  reason: string | null;
  /** How many entries left the front of `entries`; keeps "new since" counts right. */
  dropped: number;
}

export const emptyRoom: Room = {
  joined: false,
  stale: false,
  epoch: null,
  offset: 0,
  entries: [],
  pending: [],
  viewers: null,
  stream: null,
  settings: { slow_seconds: 0, max_length: 500 },
  me: null,
  reason: null,
  dropped: 0,
};

export type RoomAction =
  | { type: "joined"; answer: JoinAnswer }
  | { type: "entries"; entries: Entry[] }
  | { type: "viewers"; viewers: number }
  | { type: "status"; status: RoomStatus }
  | { type: "reset" }
  | { type: "disconnected" }
  | { type: "sending"; message: Omit<Pending, "state"> }
  | { type: "acked"; id: string }
  | { type: "failed"; id: string; reason: string }
  | { type: "forget"; id: string };

export function reduceRoom(room: Room, action: RoomAction): Room {
  switch (action.type) {
    case "joined":
      return afterJoin(room, action.answer);
    case "entries":
      return room.joined && !room.stale ? withEntries(room, action.entries) : room;
    case "viewers":
      return { ...room, viewers: action.viewers };
    case "status":
      return withStatus(room, action.status);
    case "reset":
      return { ...room, stale: true, epoch: null, offset: 0 };
    case "disconnected":
      return { ...room, joined: false };
    case "sending":
      return { ...room, pending: [...withoutPending(room, action.message.id), { ...action.message, state: "sending" }] };
    case "acked":
      return settle(room, action.id, "sent");
    case "failed":
      return settle(room, action.id, "failed", action.reason);
    case "forget":
      return { ...room, pending: withoutPending(room, action.id) };
  }
}

function afterJoin(room: Room, answer: JoinAnswer): Room {
  const continues = answer.recovered && room.epoch === answer.epoch;
  const begun: Room = {
    ...room,
    joined: true,
    stale: false,
    epoch: answer.epoch,
    offset: continues ? room.offset : (answer.entries[0]?.offset ?? answer.offset + 1) - 1,
    entries: continues ? room.entries : [],
    dropped: continues ? room.dropped : 0,
    viewers: answer.viewers,
    stream: answer.stream,
    settings: answer.settings,
    me: answer.me,
    reason: null,
  };
  // What a join answers is whole by contract, so it is not searched for holes.
  const fresh = answer.entries.filter((entry) => entry.offset > begun.offset);
  const filled = append(begun, fresh);
  return { ...filled, offset: Math.max(filled.offset, answer.offset) };
}

function withEntries(room: Room, incoming: Entry[]): Room {
  let offset = room.offset;
  const fresh: Entry[] = [];
  for (const entry of incoming) {
    if (entry.offset <= offset) continue;
    if (entry.offset > offset + 1) return { ...append(room, fresh), stale: true };
    fresh.push(entry);
    offset = entry.offset;
  }
  return append(room, fresh);
}

function append(room: Room, fresh: Entry[]): Room {
  const last = fresh.at(-1);
  if (!last) return room;
  const arrived = new Set(fresh.map((entry) => entry.id));
  const all = [...room.entries, ...fresh.filter((entry) => entry.kind === "message")];
  const extra = Math.max(0, all.length - KEPT_ENTRIES);
  return {
    ...room,
    offset: last.offset,
    entries: extra ? all.slice(extra) : all,
    dropped: room.dropped + extra,
    pending: room.pending.filter((message) => !arrived.has(message.id)),
  };
}

function withStatus(room: Room, { status, title, category, reason }: RoomStatus): Room {
  if (!room.stream) return room;
  const stream = {
    ...room.stream,
    status,
    ...(title === undefined ? {} : { title }),
    ...(category === undefined ? {} : { category }),
  };
  return { ...room, stream, reason: reason ?? null };
}

function settle(room: Room, id: string, state: PendingState, reason?: string): Room {
  if (room.entries.some((entry) => entry.id === id)) return { ...room, pending: withoutPending(room, id) };
  const pending = room.pending.map((message) =>
    message.id === id ? { ...message, state, ...(reason === undefined ? {} : { reason }) } : message,
  );
  return { ...room, pending };
}

const withoutPending = (room: Room, id: string) => room.pending.filter((message) => message.id !== id);
