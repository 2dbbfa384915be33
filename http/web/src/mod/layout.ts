/** How a moderator arranged the desk: which columns, in which order, how wide; and which channels. Pure. */
export const COLUMNS = ["chat", "held", "log", "card", "settings"] as const;
export type ColumnName = (typeof COLUMNS)[number];

export const COLUMN_TITLES: Record<ColumnName, string> = {
  chat: "Chat", held: "Held messages", log: "Log", card: "User card", settings: "Settings",
};

export interface Column {
  name: ColumnName;
  shown: boolean;
  /** Pixels. */
  width: number;
}

export interface DeskLayout {
  columns: Column[];
  /** Channels beside the one in the address. */
  beside: string[];
  /** The columns of those, once they were arranged otherwise than the first channel's. */
  own?: Record<string, Column[]>;
}

export const MIN_WIDTH = 260;
export const MAX_WIDTH = 720;
export const MAX_CHANNELS = 4;
const KEY = "footlight.desk";

export const firstLayout: DeskLayout = {
  columns: COLUMNS.map((name) => ({ name, shown: name !== "settings", width: name === "chat" ? 420 : 330 })),
  beside: [],
};

const clamp = (width: number) => Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width)));

/** One place to the left (-1) or right (1) among the columns that are shown. */
export function moveColumn(layout: DeskLayout, name: ColumnName, by: -1 | 1): DeskLayout {
  const shown = layout.columns.filter((column) => column.shown);
  const from = shown.findIndex((column) => column.name === name);
  const other = shown[from + by];
  if (from < 0 || !other) return layout;
  const columns = [...layout.columns];
  const [a, b] = [columns.findIndex((column) => column.name === name), columns.findIndex((column) => column.name === other.name)];
  [columns[a], columns[b]] = [columns[b]!, columns[a]!];
  return { ...layout, columns };
}

export const columnsOf = (layout: DeskLayout, channel: string): Column[] => layout.own?.[channel] ?? layout.columns;

/** A change of one channel's columns; `null` is the channel in the address. */
export function arrangeChannel(layout: DeskLayout, channel: string | null, change: (layout: DeskLayout) => DeskLayout): DeskLayout {
  if (channel === null) return change(layout);
  const columns = columnsOf(layout, channel);
  const next = change({ ...layout, columns }).columns;
  const same = next.length === columns.length && next.every((column, index) => column === columns[index]);
  return same ? layout : { ...layout, own: { ...layout.own, [channel]: next } };
}

/** The last column that is shown cannot be hidden: a desk without any would have no way back. */
export function showColumn(layout: DeskLayout, name: ColumnName, shown: boolean): DeskLayout {
  if (!shown && layout.columns.filter((column) => column.shown && column.name !== name).length === 0) return layout;
  return { ...layout, columns: layout.columns.map((column) => (column.name === name ? { ...column, shown } : column)) };
}

export function resizeColumn(layout: DeskLayout, name: ColumnName, width: number): DeskLayout {
  return { ...layout, columns: layout.columns.map((column) => (column.name === name ? { ...column, width: clamp(width) } : column)) };
}

export function addChannel(layout: DeskLayout, first: string, id: string): DeskLayout {
  if (id === first || layout.beside.includes(id) || layout.beside.length + 1 >= MAX_CHANNELS) return layout;
  return { ...layout, beside: [...layout.beside, id] };
}

export const removeChannel = (layout: DeskLayout, id: string): DeskLayout => ({ ...layout, beside: layout.beside.filter((other) => other !== id) });

/** What was stored, as far as it makes sense; columns that are new since then come last. */
export function parseLayout(stored: string | null): DeskLayout {
  let found: Partial<DeskLayout>;
  try {
    found = (JSON.parse(stored ?? "{}") ?? {}) as Partial<DeskLayout>;
  } catch {
    return firstLayout;
  }
  const columns = parseColumns(found.columns);
  if (!columns) return firstLayout;
  const beside = Array.isArray(found.beside) ? found.beside.filter((id) => typeof id === "string").slice(0, MAX_CHANNELS - 1) : [];
  const own = Object.fromEntries(beside.flatMap((id) => {
    const arranged = parseColumns(found.own?.[id]);
    return arranged ? [[id, arranged]] : [];
  }));
  return { columns, beside, ...(Object.keys(own).length > 0 ? { own } : {}) };
}

/** Null for what is no arrangement, or shows nothing. */
function parseColumns(found: unknown): Column[] | null {
  if (!Array.isArray(found)) return null;
  const known = (found as (Partial<Column> | null)[]).filter(isColumn).filter((column, index, all) => all.findIndex((other) => other.name === column.name) === index);
  const missing = firstLayout.columns.filter((column) => !known.some((other) => other.name === column.name));
  const columns = [...known.map((column) => ({ name: column.name, shown: column.shown, width: clamp(column.width) })), ...missing];
  return columns.some((column) => column.shown) ? columns : null;
}

const isColumn = (column: Partial<Column> | null): column is Column =>
  !!column && COLUMNS.includes(column.name as ColumnName) && typeof column.shown === "boolean" && Number.isFinite(column.width);

export function recallLayout(): DeskLayout {
  try {
    return parseLayout(localStorage.getItem(KEY));
  } catch {
    return firstLayout;
  }
}

export function rememberLayout(layout: DeskLayout): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(layout));
  } catch {
    // Storage can be forbidden; the arrangement is then for this page only.
  }
}
