/**
 * What one viewer knows about one room, as a pure reducer.
 *
 * The highest offset seen decides: entries at or below it are repeats, an entry more than one above it means that a
 * frame was lost. What comes after the hole waits in `ahead` until a new join has filled it.
 */
import type { Entry, Me, RoomJoined, RoomSettings, RoomStatus, StreamInfo, User } from "./events";

/** Older lines leave the page: 500 lines of text stay quick to lay out on a phone. */
export const KEPT_ENTRIES = 500;

/** So much of what comes during a recovery is kept; of more the newest, and the hole before it asks for another join. */
export const KEPT_AHEAD = 1000;

export type PendingState = "sending" | "sent" | "failed";

export interface Pending {
  id: string;
  text: string;
  user: User;
  at: number;
  state: PendingState;
  reason?: string;
}

/** Why to join again. Each loss is an object of its own: another one after a join asks for another join. */
export interface Loss {
  why: "hole" | "lagged" | "reset";
}

export interface Room {
  joined: boolean;
  loss: Loss | null;
  epoch: string | null;
  offset: number;
  entries: Entry[];
  /** What came while a join was on its way. */
  ahead: Entry[];
  /** Numbers of the lines (see `dropped`) before which messages are missing for good. */
  gaps: number[];
  pending: Pending[];
  viewers: number | null;
  stream: StreamInfo | null;
  settings: RoomSettings;
  me: Me | null;
  reason: string | null;
  /** How many entries left the front of `entries`: the number of the first line, as each line keeps its number. */
  dropped: number;
}

export const emptyRoom: Room = {
  joined: false,
  loss: null,
  epoch: null,
  offset: 0,
  entries: [],
  ahead: [],
  gaps: [],
  pending: [],
  viewers: null,
  stream: null,
  settings: { slow_seconds: 0, max_length: 500 },
  me: null,
  reason: null,
  dropped: 0,
};

export type RoomAction =
  /** `asked`: the loss that was known when the join was sent. */
  | { type: "joined"; answer: RoomJoined; asked?: Loss | null }
  | { type: "entries"; entries: Entry[] }
  | { type: "viewers"; viewers: number }
  | { type: "status"; status: RoomStatus }
  | { type: "reset" }
  | { type: "lagged" }
  | { type: "disconnected" }
  | { type: "sending"; message: Omit<Pending, "state"> }
  | { type: "acked"; id: string }
  | { type: "failed"; id: string; reason: string }
  | { type: "forget"; id: string };

export function reduceRoom(room: Room, action: RoomAction): Room {
  switch (action.type) {
    case "joined":
      return afterJoin(room, action.answer, action.asked ?? null);
    case "entries":
      return heard(room, action.entries);
    case "viewers":
      return { ...room, viewers: action.viewers };
    case "status":
      return withStatus(room, action.status);
    case "reset":
      // What waits is of the log that was lost. The position is kept: the next join says whether it still holds.
      return { ...room, loss: { why: "reset" }, ahead: [] };
    case "lagged":
      return { ...room, loss: { why: "lagged" } };
    case "disconnected":
      return { ...room, joined: false, loss: null, ahead: [] };
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

function afterJoin(room: Room, answer: RoomJoined, asked: Loss | null): Room {
  const first = answer.entries[0]?.offset ?? answer.offset + 1;
  const follows =
    room.epoch === answer.epoch && (answer.recovered || (first <= room.offset + 1 && answer.offset >= room.offset));
  const { viewers, stream, settings, me } = answer;
  const place = { epoch: answer.epoch, offset: follows ? room.offset : first - 1 };
  // A hole is mended by any answer, `ahead` tells; what was lost for other reasons only by one that was asked for after.
  const open = room.loss !== null && room.loss !== asked && room.loss.why !== "hole";
  const begun: Room = {
    ...(follows ? room : withGap(room)),
    ...place,
    joined: true,
    loss: open ? { ...room.loss! } : null,
    ahead: [],
    viewers,
    stream,
    settings,
    me,
    reason: null,
  };
  // What a join answers is whole by contract, so it is not searched for holes.
  const fresh = answer.entries.filter((entry) => entry.offset > begun.offset);
  const filled = append(begun, follows ? fresh : unseen(room, fresh));
  return heard({ ...filled, offset: Math.max(filled.offset, answer.offset) }, room.ahead);
}

/** Remember that messages are missing after the last line; nothing to remember when there is none. */
function withGap(room: Room): Room {
  const next = room.dropped + room.entries.length;
  return next === 0 || room.gaps.at(-1) === next ? room : { ...room, gaps: [...room.gaps, next] };
}

/** A message sent again under its id after its log was lost is in the new log too; its line is there already. */
function unseen(room: Room, fresh: Entry[]): Entry[] {
  const known = new Set(room.entries.map((entry) => `${entry.user.id} ${entry.id}`));
  return fresh.filter((entry) => !known.has(`${entry.user.id} ${entry.id}`));
}

function heard(room: Room, incoming: Entry[]): Room {
  if (!room.joined || room.loss) return { ...room, ahead: [...room.ahead, ...incoming].slice(-KEPT_AHEAD) };
  let offset = room.offset;
  const fresh: Entry[] = [];
  for (const [index, entry] of incoming.entries()) {
    if (entry.offset <= offset) continue;
    if (entry.offset > offset + 1) {
      return { ...append(room, fresh), loss: { why: "hole" }, ahead: incoming.slice(index).slice(-KEPT_AHEAD) };
    }
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
  const dropped = room.dropped + extra;
  return {
    ...room,
    offset: last.offset,
    entries: extra ? all.slice(extra) : all,
    dropped,
    gaps: extra ? room.gaps.filter((line) => line > dropped) : room.gaps,
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
