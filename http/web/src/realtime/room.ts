/**
 * What one viewer knows about one room, as a pure reducer.
 *
 * The highest offset seen decides: entries at or below it are repeats, an entry more than one above it means that a
 * frame was lost. What comes after the hole waits in `ahead` until a new join has filled it.
 */
import type { ChatHeld, Entry, ReplyTo, RoomJoined, RoomPoll, RoomReactions, RoomRemoved, RoomSettings, RoomStatus, RoomYou, StreamInfo, User } from "./events";
import { fold, idOf, isSaid, removeEarly, type View } from "./fold";

export type { Gone, Line, Said } from "./fold";

/** Older lines leave the page; only those on the screen are laid out, so this is a matter of memory. */
export const KEPT_ENTRIES = 1000;

/** While somebody reads further up, so much stays that 50 messages a second do not take their line for two minutes. */
export const KEPT_WHILE_HELD = 6000;

/** So much of what comes during a recovery is kept; of more the newest, and the hole before it asks for another join. */
export const KEPT_AHEAD = 1000;

/** `held`: a moderator has to see it first; then it is in the list, or `denied`, or `expired`. */
export type PendingState = "sending" | "sent" | "failed" | "held" | "approved" | "denied" | "expired";

export interface Pending {
  id: string;
  text: string;
  user: User;
  at: number;
  me?: boolean;
  replyTo?: ReplyTo;
  state: PendingState;
  reason?: string;
}

/** Why to join again. Each loss is an object of its own: another one after a join asks for another join. */
export interface Loss {
  why: "hole" | "lagged" | "reset";
}

/** New reactions; `number` counts how often there were some. */
export interface Reactions {
  number: number;
  counts: Record<string, number>;
}

export interface Room extends View {
  joined: boolean;
  loss: Loss | null;
  epoch: string | null;
  offset: number;
  /** What came while a join was on its way. */
  ahead: Entry[];
  /** Numbers of the lines (see `dropped`) before which messages are missing for good. */
  gaps: number[];
  pending: Pending[];
  viewers: number | null;
  stream: StreamInfo | null;
  reactions: Reactions;
  reason: string | null;
  /** How many entries left the front of `entries`: the number of the first line, as each line keeps its number. */
  dropped: number;
  /** The number of the first line of the present log. */
  since: number;
  /** Somebody reads further up: keep more lines. */
  held: boolean;
  keepRemoved: boolean;
}

export const plainSettings: RoomSettings = {
  slow_seconds: 0,
  auto_slow_seconds: 0,
  followers_seconds: null,
  subscribers_only: false,
  emote_only: false,
  unique_chat: false,
  delay_seconds: 0,
  shield: false,
  read_only: false,
  max_length: 500,
  paid_messages: "open",
};

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
  settings: plainSettings,
  pin: null,
  poll: null,
  raid: null,
  me: null,
  onTop: [],
  reactions: { number: 0, counts: {} },
  reason: null,
  dropped: 0,
  since: 0,
  held: false,
  keepRemoved: false,
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
  | { type: "acked"; id: string; held?: boolean }
  | { type: "you"; you: RoomYou }
  | { type: "votes"; votes: RoomPoll }
  | { type: "removed"; removed: RoomRemoved }
  | { type: "reactions"; reactions: RoomReactions }
  | { type: "held"; held: ChatHeld }
  /** Somebody began, or ceased, to read further up. */
  | { type: "hold"; on: boolean }
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
      return acked(room, action.id, action.held ?? false);
    case "you":
      return withYou(room, action.you);
    case "votes":
      return room.poll?.id === action.votes.poll_id ? { ...room, poll: { ...room.poll, votes: action.votes.votes } } : room;
    case "removed":
      return removeEarly(room, action.removed, room.keepRemoved);
    case "reactions":
      return { ...room, reactions: { number: room.reactions.number + 1, counts: action.reactions.counts } };
    case "held":
      return settle(room, action.held.id, action.held.status, action.held.reason || undefined);
    case "hold":
      return trimmed({ ...room, held: action.on });
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
  const { viewers, stream, settings, me, pin, poll, raid } = answer;
  const place = { epoch: answer.epoch, offset: follows ? room.offset : first - 1 };
  // A hole is mended by any answer, `ahead` tells; what was lost for other reasons only by one that was asked for after.
  const open = room.loss !== null && room.loss !== asked && room.loss.why !== "hole";
  const begun: Room = {
    ...(follows ? room : anew(room, answer.epoch)),
    ...place,
    joined: true,
    loss: open ? { ...room.loss! } : null,
    ahead: [],
    viewers,
    stream,
    me,
    reason: null,
  };
  // What a join answers is whole by contract, so it is not searched for holes.
  const fresh = answer.entries.filter((entry) => entry.offset > begun.offset);
  const filled = append(begun, follows ? fresh : unseen(begun, fresh));
  // The answer is of the moment of its last entry; what waits is newer.
  const now = { ...filled, offset: Math.max(filled.offset, answer.offset), settings, me, pin, poll, raid, onTop: answer.on_top };
  return heard(now, room.ahead);
}

/**
 * What is kept when the position does not hold any more. Who was away, or too far behind, may have missed that a line
 * was removed: nothing is kept. Who was there until a log was lost has heard of every removal: the lines stay.
 */
function anew(room: Room, epoch: string): Room {
  const next = room.dropped + room.entries.length;
  const kept = room.joined && room.epoch !== epoch ? room : { ...room, entries: [], dropped: next, gaps: [] };
  return { ...withGap(kept), since: next };
}

/** Remember that messages are missing after the last line; nothing to remember when there is none. */
function withGap(room: Room): Room {
  const next = room.dropped + room.entries.length;
  return next === 0 || room.gaps.at(-1) === next ? room : { ...room, gaps: [...room.gaps, next] };
}

/** A message sent again under its id after its log was lost is in the new log too; its line is there already. */
function unseen(room: Room, fresh: Entry[]): Entry[] {
  const known = new Set(room.entries.filter(isSaid).map((line) => `${line.user.id} ${line.id}`));
  return fresh.filter((entry) => entry.kind !== "message" || !known.has(`${entry.user.id} ${entry.id}`));
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
  const view = fold(room, fresh, { keepRemoved: room.keepRemoved, since: Math.max(0, room.since - room.dropped) });
  const arrived = new Set(fresh.map((entry) => (entry.kind === "removed" ? null : entry.id)));
  const waits = room.pending.some((message) => arrived.has(message.id));
  const pending = waits ? room.pending.filter((message) => !arrived.has(message.id)) : room.pending;
  return trimmed({ ...room, ...view, offset: last.offset, pending });
}

/** Without the oldest lines that are too many. */
function trimmed(room: Room): Room {
  const extra = room.entries.length - (room.held ? KEPT_WHILE_HELD : KEPT_ENTRIES);
  if (extra <= 0) return room;
  const dropped = room.dropped + extra;
  return { ...room, entries: room.entries.slice(extra), dropped, gaps: room.gaps.filter((line) => line > dropped) };
}

function withYou(room: Room, { role, capabilities, restriction, warning, following_since }: RoomYou): Room {
  if (!room.me) return room;
  const user = room.me.user && { ...room.me.user, role };
  return { ...room, me: { ...room.me, user, capabilities, restriction, warning, following_since } };
}

/** What was decided about a held message may be told before its acknowledgement. */
function acked(room: Room, id: string, held: boolean): Room {
  const known = room.pending.find((message) => message.id === id)?.state;
  if (held && (known === "approved" || known === "denied" || known === "expired")) return room;
  return settle(room, id, held ? "held" : "sent");
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
  if (room.entries.some((line) => idOf(line) === id)) return { ...room, pending: withoutPending(room, id) };
  const pending = room.pending.map((message) =>
    message.id === id ? { ...message, state, ...(reason === undefined ? {} : { reason }) } : message,
  );
  return { ...room, pending };
}

const withoutPending = (room: Room, id: string) => room.pending.filter((message) => message.id !== id);
