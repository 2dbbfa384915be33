/** What a key or a button does to the line that was selected when it went down. Pure. */
import type { HeldMessage } from "../realtime/events";
import type { KeyDeed } from "./keys";

/** Whom, and which of their messages. */
export interface Target {
  userId: string;
  name: string;
  messageId?: string;
  text?: string;
}

/** What has to be answered before it is done. */
export interface Question {
  kind: "timeout" | "ban" | "warn";
  target: Target;
}

export interface Command {
  type: string;
  body: Record<string, unknown>;
}

export type Decision = { ask: Question } | { command: Command; lineId?: string } | { refuse: string };

/** Seconds for the digits 1 to 4; 5 is custom. */
export const TIMEOUTS = [
  { seconds: 60, words: "1 minute", short: "1 m" },
  { seconds: 600, words: "10 minutes", short: "10 m" },
  { seconds: 3600, words: "1 hour", short: "1 h" },
  { seconds: 86_400, words: "1 day", short: "1 d" },
] as const;
export const MAX_TIMEOUT_SECONDS = 1_209_600;

/** "90", "90s", "5m", "2h", "3d" in seconds; null for anything else, or out of bounds. */
export function parseDuration(text: string): number | null {
  const found = /^(\d{1,7})\s*(s|m|h|d|w)?$/i.exec(text.trim());
  if (!found) return null;
  const unit = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[(found[2] ?? "s").toLowerCase()] ?? 1;
  const seconds = Number(found[1]) * unit;
  return seconds >= 1 && seconds <= MAX_TIMEOUT_SECONDS ? seconds : null;
}

export function decide(deed: KeyDeed, target: Target): Decision {
  const about = { user_id: target.userId };
  switch (deed) {
    case "timeout":
    case "ban":
    case "warn":
      return { ask: { kind: deed, target } };
    case "delete":
    case "pin":
      if (!target.messageId) return { refuse: "Only a message can be " + (deed === "pin" ? "pinned." : "deleted.") };
      return { command: { type: deed, body: { ...about, message_id: target.messageId } }, lineId: target.messageId };
    default:
      return { refuse: "Nothing to do here." };
  }
}

/** A held message: approve and deny also claim, for the server refuses only what another has claimed. */
export function decideHeld(deed: KeyDeed, held: HeldMessage, myId: string | null): Decision {
  const about = { held_id: held.id };
  if (deed === "approve" || deed === "deny") return { command: { type: deed, body: about }, lineId: held.id };
  if (deed === "claim") {
    const mine = held.claimed_by !== null && held.claimed_by.id === myId;
    return { command: { type: "claim", body: mine ? { ...about, release: true } : about } };
  }
  if (deed === "delete") return { refuse: "A held message is not in the chat. Deny it with X." };
  if (deed === "pin") return { refuse: "A held message is not in the chat. Approve it with A first." };
  return decide(deed, { userId: held.user.id, name: held.user.name, text: held.text });
}

/** The answer to a question as the command it stands for. */
export function answered({ kind, target }: Question, reason: string, seconds: number): Command {
  const body = { user_id: target.userId, ...(reason ? { reason } : {}) };
  return kind === "timeout" ? { type: kind, body: { ...body, seconds } } : { type: kind, body };
}
