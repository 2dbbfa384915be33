/** What stands in the list, row by row: pure. */
import { isSaid, type Line, type RemovedBy, type Said } from "../realtime/fold";
import type { Moderation, RaidChanged } from "../realtime/events";
import type { Pending, Room } from "../realtime/room";

/** `order` is the number of the line, which it keeps; a gap stands just before the line of that number. */
export type ChatRow =
  | { type: "said"; key: string; order: number; line: Said; removedBy?: RemovedBy }
  | { type: "gone"; key: string; order: number; count: number; by: RemovedBy | null }
  | { type: "note"; key: string; order: number; line: Moderation | RaidChanged }
  | { type: "gap"; key: string; order: number }
  | { type: "pending"; key: string; order: number; message: Pending };

interface RowOptions {
  /** Removed lines leave nothing behind. */
  hideRemoved?: boolean;
  /** Lines that stood there when the list was held: removed now, they keep a row of their own, so that nothing moves. */
  apart?: ReadonlySet<number> | null;
}

export function rowsOf(room: Pick<Room, "entries" | "dropped" | "gaps" | "pending">, { hideRemoved = false, apart = null }: RowOptions = {}): ChatRow[] {
  const rows: ChatRow[] = [];
  const gaps = new Set(room.gaps);
  room.entries.forEach((line, index) => {
    const order = room.dropped + index;
    if (gaps.has(order)) rows.push(gapAt(order));
    const row = rowOf(line, order);
    const last = rows.at(-1);
    const alone = apart?.has(order) ?? false;
    if (row.type === "gone" && hideRemoved && !alone) return;
    if (row.type === "gone" && !alone && last?.type === "gone" && !apart?.has(last.order)) rows[rows.length - 1] = { ...last, count: last.count + 1, by: row.by ?? last.by };
    else rows.push(row);
  });
  const next = room.dropped + room.entries.length;
  if (gaps.has(next)) rows.push(gapAt(next));
  room.pending.forEach((message, index) => rows.push({ type: "pending", key: message.id, order: next + index, message }));
  return rows;
}

const gapAt = (order: number): ChatRow => ({ type: "gap", key: `gap ${order}`, order: order - 0.5 });

function rowOf(line: Line, order: number): ChatRow {
  const key = String(order);
  if (isSaid(line)) return { type: "said", key, order, line };
  if (line.kind !== "removed") return { type: "note", key, order, line };
  if (line.was) return { type: "said", key, order, line: line.was, ...(line.by && { removedBy: line.by }) };
  return { type: "gone", key, order, count: 1, by: line.by ?? null };
}

/** Rows one can choose: what somebody said and is still there. */
export const choosable = (row: ChatRow): row is Extract<ChatRow, { type: "said" }> => row.type === "said";

/** The next row one can choose from here, or the newest when none was chosen. */
export function nextChoice(rows: ChatRow[], from: number | null, step: 1 | -1): number | null {
  const orders = rows.filter(choosable).map((row) => row.order);
  if (from === null) return orders.at(-1) ?? null;
  return (step > 0 ? orders.find((order) => order > from) : orders.findLast((order) => order < from)) ?? null;
}
