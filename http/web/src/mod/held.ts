/** The queue of held messages as one moderator sees it. Pure. */
import type { Finding, HeldMessage, ModHeld } from "../realtime/events";

/** `fate` is what became of it; `mine` says that it is what we asked for and not yet answered. */
export interface HeldLine {
  id: string;
  held: HeldMessage;
  fate: "waiting" | "approved" | "denied" | "expired" | "gone";
  mine?: boolean;
  refusal?: string;
}

/** Decided lines that are remembered for who still looks at one. */
const KEPT_DECIDED = 100;

/** The list as read again after a reconnect: what we asked for meanwhile stays asked, what is not in it any more is gone. */
export function reread(lines: readonly HeldLine[], fresh: readonly HeldMessage[]): HeldLine[] {
  const known = new Map(lines.map((line) => [line.id, line]));
  const still = new Set(fresh.map((held) => held.id));
  const over = lines.filter((line) => !still.has(line.id)).map((line) => (line.fate === "waiting" ? { ...line, fate: "gone" as const } : line));
  const waiting = fresh.map((held): HeldLine => {
    const before = known.get(held.id);
    return before?.mine ? { ...before, held } : { id: held.id, held, fate: "waiting" };
  });
  return [...over.slice(-KEPT_DECIDED), ...waiting];
}

export function heard(lines: readonly HeldLine[], { change, held }: ModHeld): HeldLine[] {
  if (change === "added" || change === "claimed" || change === "released") {
    const at = lines.findIndex((line) => line.id === held.id);
    if (at < 0) return [...lines, { id: held.id, held, fate: "waiting" }];
    return lines.map((line, index) => (index === at ? { ...line, held } : line));
  }
  return lines.map((line) => (line.id === held.id ? { id: line.id, held, fate: change } : line));
}

/** Decided messages leave the list; who looks at one keeps it (see still.ts). */
export const undecided = (lines: readonly HeldLine[], now: number) => lines.filter((line) => (line.fate === "waiting" && line.held.expires_at > now) || line.mine);

export const asked = (lines: readonly HeldLine[], id: string, fate: "approved" | "denied"): HeldLine[] =>
  lines.map((line) => (line.id === id ? { id, held: line.held, fate, mine: true } : line));

export const granted = (lines: readonly HeldLine[], id: string): HeldLine[] => lines.map((line) => (line.id === id ? { ...line, mine: false } : line));

/** The server said no: it waits as before, with the reason beside it. */
export const refused = (lines: readonly HeldLine[], id: string, refusal: string): HeldLine[] =>
  lines.map((line) => (line.id === id ? { id, held: line.held, fate: "waiting", refusal } : line));

export interface Piece {
  text: string;
  findings: Finding[];
}

/** The text cut where findings begin and end. `start` and `end` count characters, not UTF-16 units. */
export function pieces(text: string, findings: readonly Finding[]): Piece[] {
  const characters = Array.from(text);
  const cuts = new Set([0, characters.length]);
  for (const { start, end } of findings) for (const cut of [start, end]) if (cut > 0 && cut < characters.length) cuts.add(cut);
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((from, index) => {
    const to = sorted[index + 1]!;
    return { text: characters.slice(from, to).join(""), findings: findings.filter((one) => one.start < to && one.end > from && one.end > one.start) };
  });
}
