/** Actions, lengths and dates in words. Pure. */
import type { Ruling } from "../realtime/events";

const DONE: Record<string, string> = {
  delete: "deleted a message of", timeout: "timed out", ban: "banned", unban: "lifted the ban of", warn: "warned", acknowledge: "acknowledged a warning",
  clear: "cleared the chat", settings: "changed the room's modes", shield: "switched shield mode", pin: "pinned a message of", unpin: "unpinned a message of",
  announce: "announced", approve: "approved a message of", deny: "denied a message of", raid: "started a raid", vip: "changed the VIP badge of",
  moderator: "changed the moderator role of", undo: "took back an action on", term_add: "added a term", term_remove: "removed a term", automod: "changed AutoMod", note: "wrote a note on",
  unban_request: "decided the request of",
};

export const ACTIONS = Object.keys(DONE);

export function rulingWords({ action, actor, target, after }: Ruling): string {
  const on = after?.["on"] ?? after?.["shield"];
  if (action === "shield" && typeof on === "boolean") return `${actor.name} switched shield mode ${on ? "on" : "off"}`;
  const what = DONE[action] ?? action.replaceAll("_", " ").replaceAll(".", " ");
  return [actor.name, what, target?.id === actor.id ? null : target?.name].filter(Boolean).join(" ");
}

/** 90 -> "1 min 30 s"; the two largest units. */
export function span(seconds: number): string {
  const units: [number, string][] = [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [size, name] of units) {
    const many = Math.floor(rest / size);
    rest -= many * size;
    if (many > 0) parts.push(`${many} ${name}`);
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0 s";
}

export const day = (ms: number) => new Date(ms).toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" });

export const moment = (ms: number) => new Date(ms).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

/** Times come as Unix milliseconds from sockets and sometimes as ISO text from HTTP. */
export const msOf = (time: number | string) => (typeof time === "number" ? time : Date.parse(time));
