/** Which key means what at the desk. Pure: the sheet of shortcuts and the handler read the same table. */
export type KeyDeed =
  | "next" | "previous" | "live" | "first" | "delete" | "timeout" | "ban" | "warn" | "pin" | "approve" | "deny" | "claim" | "undo"
  | "command" | "notes" | "help" | "leave" | "open" | "left" | "right"
  | "column1" | "column2" | "column3" | "column4" | "column5" | "channel";

interface Shortcut {
  keys: string[];
  deed: KeyDeed;
  what: string;
  /** How the key is written on the sheet, where that is not the key itself. */
  shown?: string[];
}

export interface Group {
  title: string;
  shortcuts: Shortcut[];
}

export const GROUPS: Group[] = [
  {
    title: "Move",
    shortcuts: [
      { keys: ["j", "ArrowDown"], deed: "next", what: "Next line", shown: ["J", "↓"] },
      { keys: ["k", "ArrowUp"], deed: "previous", what: "Line before", shown: ["K", "↑"] },
      { keys: ["Home"], deed: "first", what: "First line" },
      { keys: ["End"], deed: "live", what: "Back to live" },
      { keys: ["h", "ArrowLeft"], deed: "left", what: "Column to the left", shown: ["H", "←"] },
      { keys: ["l", "ArrowRight"], deed: "right", what: "Column to the right", shown: ["L", "→"] },
      { keys: ["Enter"], deed: "open", what: "Go to the user card of the selected line" },
      { keys: ["v"], deed: "channel", what: "Next channel", shown: ["V"] },
      { keys: ["Escape"], deed: "leave", what: "Leave: the question, the selection", shown: ["Esc"] },
    ],
  },
  {
    title: "Act on the selected line",
    shortcuts: [
      { keys: ["d", "Delete"], deed: "delete", what: "Delete the message", shown: ["D"] },
      { keys: ["t"], deed: "timeout", what: "Time out; then 1 to 5 for how long", shown: ["T"] },
      { keys: ["b"], deed: "ban", what: "Ban; Enter confirms", shown: ["B"] },
      { keys: ["w"], deed: "warn", what: "Warn", shown: ["W"] },
      { keys: ["p"], deed: "pin", what: "Pin the message", shown: ["P"] },
      { keys: ["n"], deed: "notes", what: "Write a note on the user card", shown: ["N"] },
    ],
  },
  {
    title: "Held messages",
    shortcuts: [
      { keys: ["a"], deed: "approve", what: "Approve", shown: ["A"] },
      { keys: ["x"], deed: "deny", what: "Deny", shown: ["X"] },
      { keys: ["c"], deed: "claim", what: "Claim, or release", shown: ["C"] },
    ],
  },
  {
    title: "Anywhere",
    shortcuts: [
      { keys: ["u"], deed: "undo", what: "Undo the last action; in the log, the selected one", shown: ["U"] },
      { keys: ["/"], deed: "command", what: "Command line" },
      { keys: ["?"], deed: "help", what: "This list" },
    ],
  },
];

const BY_KEY = new Map(GROUPS.flatMap((group) => group.shortcuts.flatMap(({ keys, deed }) => keys.map((key) => [key, deed] as const))));

/** What a press means, and whether the next digit belongs to a `g` before it. */
export interface KeyReading {
  deed: KeyDeed | null;
  going: boolean;
}

export function readKey(key: string, going: boolean): KeyReading {
  if (going && /^[1-5]$/.test(key)) return { deed: `column${key}` as KeyDeed, going: false };
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (name === "g") return { deed: null, going: true };
  return { deed: BY_KEY.get(name) ?? null, going: false };
}

const FIELD = "input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button]), textarea, select, [contenteditable=''], [contenteditable=true]";

/** Keys that already mean something where the focus is: while typing none is ours, on a button Enter and arrows are not. */
export function takenElsewhere(target: Element | null, key: string): boolean {
  if (!target) return false;
  if (target.closest("dialog, [role=menu]") || target.closest(FIELD)) return true;
  if (target.closest("button, a, summary, [role=tab], [role=separator], input")) return ["Enter", " ", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(key);
  return false;
}
