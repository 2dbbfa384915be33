/** Which rows of a long list are worth laying out: pure. */

/** A row's place in the list: rows come in ascending order, and keep it when others come or go. */
export interface Placed {
  order: number;
}

/** The row at the top of the screen, and how far its top is from the screen's (negative: it is cut off). */
export interface Anchor {
  order: number;
  offset: number;
}

export interface Shown {
  start: number;
  end: number;
  /** The heights of what is left out above and below. */
  before: number;
  after: number;
}

/** Rows above and below the screen that are laid out too, so that scrolling finds them there. */
const SPARE_PX = 400;

const sum = (heights: number[], from: number, to: number) => {
  let total = 0;
  for (let index = from; index < to; index += 1) total += heights[index]!;
  return total;
};

/** The rows to lay out on a screen so high: those around the anchor, or the newest without one. */
export function shownRows(heights: number[], screen: number, anchor: { index: number; offset: number } | null): Shown {
  let start = heights.length;
  let end = heights.length;
  if (anchor) {
    start = end = Math.min(anchor.index, heights.length);
    for (let room = screen + SPARE_PX - anchor.offset; end < heights.length && room > 0; end += 1) room -= heights[end]!;
  }
  const above = anchor ? SPARE_PX + Math.max(0, anchor.offset) : screen + SPARE_PX;
  for (let room = above; start > 0 && room > 0; start -= 1) room -= heights[start - 1]!;
  return { start, end, before: sum(heights, 0, start), after: sum(heights, end, heights.length) };
}

/** The index of the row at this order, or of the nearest before it. */
export function indexAt(rows: Placed[], order: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.order <= order) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** The row at this distance from the top of the list. */
export function rowAt(heights: number[], top: number): { index: number; offset: number } {
  let passed = 0;
  for (let index = 0; index < heights.length; index += 1) {
    if (passed + heights[index]! > top) return { index, offset: passed - top };
    passed += heights[index]!;
  }
  return { index: Math.max(0, heights.length - 1), offset: 0 };
}
