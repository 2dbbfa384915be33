/**
 * How the entries of a room's log become what one sees: pure.
 *
 * A line keeps its place by its offset. A removal empties what stands before it, and the text is really gone from the
 * state; `restored` brings a message back to its old place. So what one has after any entries is what a fresh reader of
 * the same log has. Moderators at their desk keep what they saw (`keepRemoved`), as `was` of the emptied line.
 */
import type { Announcement, Entry, Gift, Me, Message, Moderation, Pin, Poll, Raid, RaidChanged, RoomRemoved, RoomSettings } from "./events";

/** What somebody said. */
export type Said = Message | Announcement | Gift;

/** Why a line is empty, for who saw it happen. */
export interface RemovedBy {
  action: Moderation["action"];
  until: number | null;
  at: number;
}

/** Here stood something that was removed. */
export interface Gone {
  kind: "removed";
  offset: number;
  stream_id: string;
  by?: RemovedBy;
  was?: Said;
}

/** One line of the conversation. Of `moderation` only `clear` has a line, of `raid` only `arrived`. */
export type Line = Said | Gone | Moderation | RaidChanged;

/** What the entries of a log decide. */
export interface View {
  entries: Line[];
  settings: RoomSettings;
  pin: Pin | null;
  poll: Poll | null;
  raid: Raid | null;
  me: Me | null;
  /** Paid messages that were on top when they came, the oldest first; when their time is over is the clock's to say. */
  onTop: Message[];
}

export interface FoldOptions {
  /** Keep the text of what is removed, for moderators who saw it. */
  keepRemoved: boolean;
  /** Lines before this index are of a log that was lost: offsets do not name them. */
  since: number;
}

export const isSaid = (line: Line): line is Said => line.kind === "message" || line.kind === "announcement" || line.kind === "gift";

/** The id of a line that has one. */
export const idOf = (line: Line): string | null => (line.kind === "removed" ? null : line.id);

/** The view after these entries, which follow each other in the log. */
export function fold(view: View, fresh: Entry[], options: FoldOptions): View {
  const next = { ...view, entries: [...view.entries] };
  for (const entry of fresh) apply(next, entry, options);
  return next;
}

function apply(view: View, entry: Entry, options: FoldOptions): void {
  switch (entry.kind) {
    case "message":
      raise(view, entry);
      view.entries.push(entry);
      return;
    case "announcement":
    case "gift":
    case "removed":
      view.entries.push(entry);
      return;
    case "moderation":
      remove(view, entry, options.keepRemoved);
      if (entry.action === "clear") view.entries.push(entry);
      return;
    case "restored":
      restore(view.entries, entry.message, options.since);
      raise(view, entry.message);
      return;
    case "settings":
      view.settings = entry.settings;
      return;
    case "pin":
      view.pin = entry.pin;
      return;
    case "poll":
      view.poll = entry.poll;
      return;
    case "raid":
      if (entry.raid.state === "arrived") view.entries.push(entry);
      else view.raid = entry.raid.state === "cancelled" ? null : entry.raid;
      return;
    case "role":
      if (view.me?.user?.id === entry.target.id && view.me.user.role !== "creator" && view.me.user.role !== "admin") {
        view.me = { ...view.me, user: { ...view.me.user, role: entry.role } };
      }
  }
}

/** So many on top are kept; more than fit on a screen are not looked at. */
const MOST_ON_TOP = 50;

function raise(view: View, message: Message): void {
  if (!message.paid?.pin_seconds) return;
  const others = view.onTop.filter((one) => one.id !== message.id);
  view.onTop = [...others, message].sort((one, other) => one.at - other.at).slice(-MOST_ON_TOP);
}

type Covers = (userId: string, messageId: string) => boolean;

/** What a removal takes away of what stands before it; null for an entry that removes nothing. */
function coveredBy({ action, target, message_id }: Moderation): Covers | null {
  if (action === "clear") return () => true;
  if (!target) return null;
  if (action === "timeout" || action === "ban") return (userId) => userId === target.id;
  if (action === "delete") return (userId, messageId) => userId === target.id && messageId === message_id;
  return null;
}

function remove(view: View, entry: Moderation, keepRemoved: boolean): void {
  const covers = coveredBy(entry);
  if (covers) take(view, covers, { action: entry.action, until: entry.until ?? null, at: entry.at }, keepRemoved);
}

/** In a delayed chat a removal is told before its entry comes: what one sees by then is older than it. */
export function removeEarly<Seen extends View>(view: Seen, { user_id, message_id }: RoomRemoved, keepRemoved: boolean): Seen {
  const next = { ...view };
  take(next, (user, message) => (user_id === null || user === user_id) && (message_id === null || message === message_id), null, keepRemoved);
  return next;
}

function take(view: View, covers: Covers, by: RemovedBy | null, keepRemoved: boolean): void {
  view.entries = view.entries.map((line) => emptied(line, covers, by, keepRemoved));
  if (view.onTop.length) view.onTop = view.onTop.filter((one) => !covers(one.user.id, one.id));
  if (view.pin && covers(view.pin.user.id, view.pin.message_id)) view.pin = null;
}

function emptied(line: Line, covers: Covers, by: RemovedBy | null, keepRemoved: boolean): Line {
  if (!isSaid(line)) return line;
  if (!covers(line.user.id, line.id)) return line;
  const { offset, stream_id } = line;
  return { kind: "removed", offset, stream_id, ...(by && { by }), ...(keepRemoved ? { was: line } : {}) };
}

/** Put a message back in its old place, when that is among the lines. */
function restore(lines: Line[], message: Message, since: number): void {
  for (let index = lines.length - 1; index >= since; index -= 1) {
    if (lines[index]!.offset === message.offset) {
      lines[index] = message;
      return;
    }
  }
}
