/** What can still be undone: each action for ten seconds, the newest first. Pure. */
export interface Undoable {
  channelId: string;
  actionId: string;
  /** What was done, in words. */
  words: string;
  until: number;
  state: "ready" | "undoing" | "refused";
  refusal?: string;
}

const SHOWN = 3;

export const offered = (all: readonly Undoable[], one: Omit<Undoable, "state">): Undoable[] => [
  { ...one, state: "ready" as const },
  ...all.filter((other) => other.actionId !== one.actionId),
].slice(0, SHOWN);

export const secondsLeft = (one: Undoable, now: number) => Math.max(0, Math.ceil((one.until - now) / 1000));

/** A refusal stays to be read for as long again. */
export const current = (all: readonly Undoable[], now: number) => all.filter((one) => one.until > now || one.state === "undoing" || (one.state === "refused" && one.until + 6000 > now));

export const newest = (all: readonly Undoable[], now: number) => all.find((one) => one.state === "ready" && one.until > now) ?? null;

export const without = (all: readonly Undoable[], actionId: string) => all.filter((one) => one.actionId !== actionId);

export const marked = (all: readonly Undoable[], actionId: string, state: Undoable["state"], refusal?: string): Undoable[] =>
  all.map((one) => (one.actionId === actionId ? { ...one, state, ...(refusal === undefined ? {} : { refusal }) } : one));
