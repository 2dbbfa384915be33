/** What one can do about a refusal, beside the server's own words. Pure. */
import type { ApiError } from "../api/errors";
import type { ErrorCode } from "../realtime/events";

const HINTS: Partial<Record<ErrorCode, string>> = {
  "auth.required": "Your sign-in is over; sign in again.",
  "chat.blocked": "Say it in other words.",
  "chat.emote_only": "Choose some with the button beside the field.",
  "chat.not_unique": "",
  "command.unknown": "",
  "internal": "Try again in a moment.",
  "limit.rate": "",
  "mod.ambiguous_user": "Type @ and choose.",
  "poll.voted": "",
  "request.invalid": "Reload the page if this goes on.",
  "room.not_joined": "You are being let in; try again.",
};

const TEXT_REASONS: Record<string, string> = {
  empty: "There is nothing to send.",
  too_long: "It is too long.",
  characters: "It has characters that cannot be sent.",
};

const minutes = (ms: number) => {
  const whole = Math.ceil(ms / 60_000);
  if (whole < 60) return whole === 1 ? "1 minute" : `${whole} minutes`;
  const hours = Math.ceil(whole / 60);
  if (hours < 48) return hours === 1 ? "1 hour" : `${hours} hours`;
  return `${Math.ceil(hours / 24)} days`;
};

/** Why it was refused and what to do, in one or two sentences. Seconds to wait count down in the button, not here. */
export function explain({ code, message, details, retryAfterMs }: ApiError): string {
  const word = (name: string) => (typeof details[name] === "string" && details[name] ? String(details[name]) : null);
  switch (code) {
    case "chat.text_invalid":
      return TEXT_REASONS[word("reason") ?? ""] ?? message;
    case "chat.followers_only":
      return retryAfterMs ? `${message} You follow; you can write in ${minutes(retryAfterMs)}.` : `${message} Follow the channel to write.`;
    case "chat.banned":
      return retryAfterMs && retryAfterMs > 60_000 ? `${message} It ends in ${minutes(retryAfterMs)}.` : message;
    case "command.unknown":
      return word("suggestion") ? `There is no such command. Did you mean ${word("suggestion")}?` : message;
    case "command.malformed":
      return word("usage") ? `Write it so: ${word("usage")}` : message;
    default: {
      const hint = HINTS[code as ErrorCode];
      return hint ? `${message} ${hint}` : message;
    }
  }
}
