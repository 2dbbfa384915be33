/** Which lines of a recorded chat belong on the screen at a moment, and what is still to be fetched. Pure. */
import type { ReplayLine } from "../api/videos";

/** What was fetched: every line from `from` up to `to` seconds (`to` null: up to the end). */
export interface Fetched {
  from: number;
  to: number | null;
  cursor: string | null;
  revision: number;
  lines: readonly ReplayLine[];
}

export interface Page {
  lines: readonly ReplayLine[];
  next_cursor: string | null;
  revision: number;
}

/** So far before the position a jump begins to fetch, so that the chat is not empty there. */
export const BEFORE_SECONDS = 90;
/** So far ahead of the position there should be lines in hand. */
const AHEAD_SECONDS = 20;
const SHOWN = 150;

/** The lines said up to `position`, the newest last. */
export function linesAt(lines: readonly ReplayLine[], position: number): readonly ReplayLine[] {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.at_seconds <= position) low = middle + 1;
    else high = middle;
  }
  return lines.slice(Math.max(0, low - SHOWN), low);
}

export type Next = { ask: "from"; seconds: number } | { ask: "more"; cursor: string } | null;

/** What to fetch next for this position. */
export function nextFor(known: Fetched | null, position: number): Next {
  if (!known || position < known.from || (known.to !== null && position > known.to + AHEAD_SECONDS)) {
    return { ask: "from", seconds: Math.max(0, position - BEFORE_SECONDS) };
  }
  if (known.cursor !== null && known.to !== null && position + AHEAD_SECONDS > known.to) return { ask: "more", cursor: known.cursor };
  return null;
}

export function begun(page: Page, from: number): Fetched {
  return { from, to: reach(page), cursor: page.next_cursor, revision: page.revision, lines: page.lines };
}

/** With another revision something was removed or brought back: what is known is not to be shown again. */
export function extended(known: Fetched, page: Page): Fetched | null {
  if (page.revision !== known.revision) return null;
  return { ...known, to: reach(page), cursor: page.next_cursor, lines: [...known.lines, ...page.lines] };
}

const reach = (page: Page) => (page.next_cursor === null ? null : (page.lines.at(-1)?.at_seconds ?? 0));
