/** The room's lines as the desk shows them: each with a name that stays, also when its text is taken away. Pure. */
import type { Line, Said } from "../realtime/fold";
import type { Room } from "../realtime/room";
import type { Target } from "./deeds";

export interface ChatItem {
  /** The number of the line: it keeps it for as long as the room is open. */
  id: string;
  line: Line;
}

const made = new WeakMap<Line, ChatItem>();

/** The same line gives the same object, so that only what changed is drawn again. */
export function chatItems({ entries, dropped }: Pick<Room, "entries" | "dropped">): ChatItem[] {
  return entries.flatMap((line, index) => {
    // What was removed before one came says nothing to anybody; if it is brought back it has its place.
    if (line.kind === "removed" && !line.was) return [];
    const known = made.get(line);
    const id = String(dropped + index);
    if (known?.id === id) return [known];
    const item = { id, line };
    made.set(line, item);
    return [item];
  });
}

/** What was said there, also when it is removed and we saw it. */
export const saidAt = ({ line }: ChatItem): Said | null =>
  line.kind === "message" || line.kind === "announcement" || line.kind === "gift" ? line : line.kind === "removed" ? (line.was ?? null) : null;

export function targetOf(item: ChatItem): Target | null {
  const said = saidAt(item);
  if (!said) return null;
  const about = { userId: said.user.id, name: said.user.name, text: said.text };
  return item.line.kind === "removed" ? about : { ...about, messageId: said.id };
}
