import { memo } from "react";
import type { User } from "../realtime/events";
import { hueOf } from "../ui/identity";
import { timeOfDay } from "../ui/time";
import { BADGES } from "./badges";
import { mentions } from "./text";

interface LineProps {
  user: User;
  text: string;
  at: number;
  myId: string | null;
  myName: string | null;
}

export const ChatLine = memo(function ChatLine({ user, text, at, myId, myName }: LineProps) {
  const own = user.id === myId;
  const called = !own && mentions(text, myName);
  const badge = BADGES[user.role];
  return (
    <li className={`line ${own ? "line-own" : ""} ${called ? "line-called" : ""}`} data-testid="chat-line">
      <time dateTime={new Date(at).toISOString()}>{timeOfDay(at)}</time>
      {badge && <span className={`line-badge line-${user.role}`}>{badge}</span>}
      <b style={{ ["--hue" as string]: hueOf(user.id) }}>{user.name}</b>
      <span className="line-text">{text}</span>
    </li>
  );
});
