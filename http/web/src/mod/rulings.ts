/** The moderation log as a list: newest first, each once, and what was taken back marked. Pure. */
import type { LogFilter } from "../api/channels";
import type { Ruling } from "../realtime/events";

export function merged(known: readonly Ruling[], fresh: readonly Ruling[]): Ruling[] {
  const all = new Map(known.map((ruling) => [ruling.id, ruling]));
  for (const ruling of fresh) all.set(ruling.id, ruling);
  for (const ruling of fresh) {
    const undone = ruling.undoes ? all.get(ruling.undoes) : undefined;
    if (undone && !undone.undone_by) all.set(undone.id, { ...undone, undone_by: ruling.id });
  }
  return [...all.values()].sort((a, b) => b.revision - a.revision);
}

/** The server filters what it answers; what comes through the room is filtered here by the same fields. */
export function passes(ruling: Ruling, { actor, target, action, from, to }: LogFilter): boolean {
  return (
    (!actor || ruling.actor.id === actor) && (!target || ruling.target?.id === target) && (!action || ruling.action === action) &&
    (!from || ruling.at >= Date.parse(from)) && (!to || ruling.at < Date.parse(to))
  );
}

const TAKEN_BACK = new Set(["delete", "timeout", "ban", "unban", "warn", "clear", "settings", "shield", "pin", "unpin", "vip", "moderator"]);

export const canReverse = (ruling: Ruling) => TAKEN_BACK.has(ruling.action) && !ruling.undone_by && !ruling.undoes;
