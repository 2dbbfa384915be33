/**
 * A list that holds still around the line one is about to act on. Pure.
 *
 * While a line is selected the list is what it was: what comes later is counted, what leaves stays in its place, and
 * what changes (a message removed elsewhere) changes in place. So a flood never puts another line under the finger.
 */
export interface Line {
  id: string;
}

export interface Still<Item extends Line> {
  selected: string | null;
  /** The list as it stands on the screen while a line is selected; null when it is live. */
  kept: Item[] | null;
}

export const live: Still<never> = { selected: null, kept: null };

export interface Shown<Item> {
  items: Item[];
  /** How many came since the list holds still. */
  waiting: number;
}

/**
 * `came` says where new items appear: a chat grows at its end, a log at its beginning. `known` has those that left the
 * list too, so that a line that stays only because it is looked at says what became of it.
 */
export function shownOf<Item extends Line>(still: Still<Item>, now: readonly Item[], came: "last" | "first" = "last", known: readonly Item[] = now): Shown<Item> {
  if (!still.kept) return { items: now as Item[], waiting: 0 };
  const fresh = new Map(known.map((item) => [item.id, item]));
  return { items: still.kept.map((item) => fresh.get(item.id) ?? item), waiting: newer(still.kept, now, came).length };
}

function newer<Item extends Line>(kept: readonly Item[], now: readonly Item[], came: "last" | "first"): Item[] {
  const known = new Set(kept.map((item) => item.id));
  const edge = came === "last" ? now.findLastIndex((item) => known.has(item.id)) : now.findIndex((item) => known.has(item.id));
  if (edge < 0) return now.filter((item) => !known.has(item.id));
  return came === "last" ? now.slice(edge + 1) : now.slice(0, edge);
}

export function select<Item extends Line>(still: Still<Item>, now: readonly Item[], id: string): Still<Item> {
  return { selected: id, kept: shownOf(still, now).items.slice() };
}

/** Move the selection; at the edge where new items come, they are let in beyond it and the selected line stays where it is. */
export function step<Item extends Line>(still: Still<Item>, now: readonly Item[], by: -1 | 1, came: "last" | "first" = "last"): Still<Item> {
  let items = shownOf(still, now, came).items;
  if (items.length === 0) return still;
  const here = items.findIndex((item) => item.id === still.selected);
  if (here < 0) return { selected: items[came === "last" ? items.length - 1 : 0]!.id, kept: items.slice() };
  let to = here + by;
  const atEdge = came === "last" ? to >= items.length : to < 0;
  if (atEdge && still.kept) {
    const more = newer(still.kept, now, came);
    items = came === "last" ? [...items, ...more] : [...more, ...items];
    if (came === "first") to = more.length - 1;
  }
  to = Math.max(0, Math.min(items.length - 1, to));
  return { selected: items[to]!.id, kept: items.slice() };
}
