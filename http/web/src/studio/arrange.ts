/** How a creator arranged the panel: columns of boxes, each with a height in steps. Pure; kept by the device. */
export const BOXES = ["preview", "timeline", "howto", "ingest", "health", "describe", "settings", "chat", "actions"] as const;
export type Box = (typeof BOXES)[number];
export type Direction = "up" | "down" | "left" | "right";

export const BOX_TITLES: Record<Box, string> = {
  preview: "Preview", timeline: "How it goes", describe: "Title and category", health: "Health", settings: "Quick settings",
  ingest: "Server and key", actions: "Recent actions", howto: "How to send a picture", chat: "Chat",
};

/** A column's share of the width is `width` of all columns' together; a box is `heights` steps high. */
export interface Arrangement {
  columns: Box[][];
  widths: number[];
  heights: Record<Box, number>;
  hidden: Box[];
}

export const COLUMNS = 3;
export const WIDTHS = { least: 2, most: 8 };
export const HEIGHTS = { least: 4, most: 30 };
const KEY = "footlight.studio";

export const firstArrangement: Arrangement = {
  columns: [["preview", "timeline"], ["ingest", "health", "describe", "settings"], ["chat", "actions", "howto"]],
  widths: [5, 3, 3],
  heights: { preview: 12, timeline: 23, howto: 15, ingest: 8, health: 10, describe: 5, settings: 13, chat: 22, actions: 9 },
  hidden: [],
};

const clamp = (value: number, { least, most }: { least: number; most: number }) => Math.round(Math.min(most, Math.max(least, value)));

/** Where a box stands, or null when it is hidden. */
export function placeOf({ columns }: Arrangement, box: Box): { column: number; index: number } | null {
  const column = columns.findIndex((boxes) => boxes.includes(box));
  return column < 0 ? null : { column, index: columns[column]!.indexOf(box) };
}

/** Put a box before the one that stands at `index` of a column; what was there moves down. */
export function put(arrangement: Arrangement, box: Box, column: number, index: number): Arrangement {
  if (column < 0 || column >= COLUMNS) return arrangement;
  const from = placeOf(arrangement, box);
  const same = from?.column === column && from.index < index;
  const columns = arrangement.columns.map((boxes) => boxes.filter((other) => other !== box));
  const target = columns[column]!;
  target.splice(Math.min(target.length, Math.max(0, same ? index - 1 : index)), 0, box);
  return { ...arrangement, columns, hidden: arrangement.hidden.filter((other) => other !== box) };
}

/** One place in a direction; the very same arrangement where there is no further. With one column all boxes are in it. */
export function move(arrangement: Arrangement, box: Box, direction: Direction, oneColumn = false): Arrangement {
  const from = placeOf(arrangement, box);
  if (!from) return arrangement;
  const { column, index } = from;
  const sideways = direction === "left" || direction === "right";
  const by = direction === "left" || direction === "up" ? -1 : 1;
  if (sideways) return oneColumn || column + by < 0 || column + by >= COLUMNS ? arrangement : put(arrangement, box, column + by, index);
  const next = index + by;
  if (next >= 0 && next < arrangement.columns[column]!.length) return put(arrangement, box, column, by < 0 ? next : next + 1);
  if (!oneColumn) return arrangement;
  for (let other = column + by; other >= 0 && other < COLUMNS; other += by) {
    const length = arrangement.columns[other]!.length;
    if (length > 0) return put(arrangement, box, other, by < 0 ? length - 1 : 1);
  }
  return arrangement;
}

export const heighten = (arrangement: Arrangement, box: Box, by: number): Arrangement => ({
  ...arrangement, heights: { ...arrangement.heights, [box]: clamp(arrangement.heights[box] + by, HEIGHTS) },
});

/** Gives the box's column more of the width. */
export function widen(arrangement: Arrangement, box: Box, by: number): Arrangement {
  const from = placeOf(arrangement, box);
  if (!from) return arrangement;
  return { ...arrangement, widths: arrangement.widths.map((width, column) => (column === from.column ? clamp(width + by, WIDTHS) : width)) };
}

/** The last box that is shown stays: a panel without any would have no way back. */
export function hide(arrangement: Arrangement, box: Box): Arrangement {
  if (shown(arrangement).length < 2 || arrangement.hidden.includes(box)) return arrangement;
  return { ...arrangement, columns: arrangement.columns.map((boxes) => boxes.filter((other) => other !== box)), hidden: [...arrangement.hidden, box] };
}

/** It comes back at the end of the shortest column. */
export function show(arrangement: Arrangement, box: Box): Arrangement {
  const lengths = arrangement.columns.map((boxes) => boxes.reduce((sum, other) => sum + arrangement.heights[other], 0));
  const column = lengths.indexOf(Math.min(...lengths));
  return arrangement.hidden.includes(box) ? put(arrangement, box, column, Infinity) : arrangement;
}

/** The boxes in reading order: column by column. */
export const shown = ({ columns }: Arrangement): Box[] => columns.flat();

/** The rows of the grid a box covers, counted from 1. */
export function rowsOf(arrangement: Arrangement, box: Box): { column: number; start: number; span: number } | null {
  const place = placeOf(arrangement, box);
  if (!place) return null;
  const above = arrangement.columns[place.column]!.slice(0, place.index);
  return { column: place.column + 1, start: 1 + above.reduce((sum, other) => sum + arrangement.heights[other], 0), span: arrangement.heights[box] };
}

/** Where a box stands, for who cannot see it: said after a move. */
export function placeInWords(arrangement: Arrangement, box: Box): string {
  const place = placeOf(arrangement, box);
  if (!place) return `${BOX_TITLES[box]} is hidden`;
  return `${BOX_TITLES[box]}: column ${place.column + 1} of ${COLUMNS}, place ${place.index + 1} of ${arrangement.columns[place.column]!.length}`;
}

/** What was stored, as far as it makes sense; boxes that are new since then stand where they stand at first. */
export function parseArrangement(stored: string | null): Arrangement {
  let found: Partial<Arrangement> | null;
  try {
    found = JSON.parse(stored ?? "null") as Partial<Arrangement> | null;
  } catch {
    return firstArrangement;
  }
  if (!found || !Array.isArray(found.columns) || found.columns.length !== COLUMNS || !found.columns.every(Array.isArray)) return firstArrangement;
  const seen = new Set<Box>();
  const once = (box: Box) => isBox(box) && !seen.has(box) && !!seen.add(box);
  const columns = found.columns.map((boxes) => boxes.filter(once));
  const hidden = (Array.isArray(found.hidden) ? found.hidden : []).filter(once);
  const known = firstArrangement.columns.map((boxes, column) => [...columns[column]!, ...boxes.filter(once)]);
  if (known.flat().length === 0) return firstArrangement;
  const heights = { ...firstArrangement.heights };
  for (const box of BOXES) heights[box] = clamp(number(found.heights?.[box], heights[box]), HEIGHTS);
  return { columns: known, hidden, heights, widths: firstArrangement.widths.map((width, column) => clamp(number(found.widths?.[column], width), WIDTHS)) };
}

const isBox = (box: unknown): box is Box => BOXES.includes(box as Box);
const number = (value: unknown, otherwise: number) => (typeof value === "number" && Number.isFinite(value) ? value : otherwise);

export function storedArrangement(): Arrangement {
  try {
    return parseArrangement(localStorage.getItem(KEY));
  } catch {
    return firstArrangement;
  }
}

export function storeArrangement(arrangement: Arrangement): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(arrangement));
  } catch {
    // Storage can be forbidden; the arrangement then lasts until the page is closed.
  }
}
