/** One line of the conversation, of whatever kind. */
import { memo, type CSSProperties, type ReactNode } from "react";
import { price } from "../money/amounts";
import { levelOf } from "../money/levels";
import type { Moderation, RaidChanged, User } from "../realtime/events";
import type { RemovedBy, Said } from "../realtime/fold";
import { Icon } from "../ui/icons";
import { hueOf } from "../ui/identity";
import { shortCount, timeOfDay } from "../ui/time";
import { BADGES } from "./badges";
import { readable } from "./colors";
import type { Emote } from "./emotes";
import { GiftWords } from "./GiftWords";
import { LineText } from "./LineText";
import { mentions } from "./text";

/** What is the same for every line of a list. */
export interface Look {
  myId: string | null;
  myName: string | null;
  theme: "light" | "dark";
  emotes: ReadonlyMap<string, Emote>;
}

interface SaidProps {
  line: Said;
  look: Look;
  order: number;
  selected?: boolean;
  removedBy?: RemovedBy | undefined;
  /** The beginning of the message it answers, when that is on the page. */
  answered?: string | null;
  onAnswered?: (() => void) | undefined;
  /** Buttons of the line one points at. */
  tools?: ReactNode;
}

export const SaidLine = memo(function SaidLine({ line, look, order, selected = false, removedBy, answered, onAnswered, tools }: SaidProps) {
  const { user, text, at } = line;
  const own = user.id === look.myId;
  const reply = line.kind === "message" ? line.reply : null;
  const called = !own && (reply?.user_id === look.myId || mentions(text, look.myName));
  const acting = line.kind === "message" && line.me;
  const names = ["line", own && "line-own", called && "line-called", acting && "line-acting", selected && "line-selected", removedBy && "line-was"];
  const announced = line.kind === "announcement" ? `line-announced tint-${line.tint}` : line.kind === "gift" ? "line-announced line-gift" : "";
  const paid = line.kind === "message" ? line.paid : null;
  return (
    <li className={`${names.filter(Boolean).join(" ")} ${announced}${paid ? `line-paid paid-${levelOf(paid)}` : ""}`} data-order={order} tabIndex={-1} data-testid={removedBy ? "chat-was" : "chat-line"}>
      {line.kind === "announcement" && <span className="line-kind">Announcement</span>}
      {line.kind === "gift" && <span className="line-kind"><Icon name="gift" size={14} />Gift</span>}
      {paid && <span className="line-amount" data-testid="line-amount"><span className="sr-only">Paid message: </span>{price(paid.amount_minor, paid.currency)}</span>}
      {reply && <Answered name={reply.name} text={answered ?? null} onGo={onAnswered} />}
      <time dateTime={new Date(at).toISOString()}>{timeOfDay(at)}</time>
      <Name user={user} theme={look.theme} />
      <LineText text={text} emotes={look.emotes} myName={look.myName} />
      {line.kind === "gift" && <GiftWords gift={line} myId={look.myId} />}
      {removedBy && <span className="line-why"> ({REMOVED[removedBy.action] ?? "removed"})</span>}
      {tools}
    </li>
  );
});

export const REMOVED: Partial<Record<RemovedBy["action"], string>> = { delete: "deleted", timeout: "timed out", ban: "banned", clear: "chat cleared" };

/** Badges and the name, in a colour that can be read. */
export function Name({ user, theme }: { user: User; theme: "light" | "dark" }) {
  const badge = BADGES[user.role];
  const color = readable(user.color, theme);
  const style = (color ? { color } : { "--hue": hueOf(user.id) }) as CSSProperties;
  return (
    <>
      {badge && <span className={`line-badge line-${user.role}`}>{badge}</span>}
      {user.subscriber && <span className="line-badge line-subscriber">Sub</span>}
      <b style={style}>{user.name}</b>
    </>
  );
}

function Answered({ name, text, onGo }: { name: string; text: string | null; onGo?: (() => void) | undefined }) {
  const words = <>Answer to <b>{name}</b>{text && <>: {text}</>}</>;
  return onGo ? <button type="button" className="line-answered" onClick={onGo}>{words}</button> : <span className="line-answered">{words}</span>;
}

/** Here something was removed; runs of it are one line, so that a cleared chat is not a page of them. */
export function GoneLine({ order, count, by, height }: { order: number; count: number; by: RemovedBy | null; height?: number | undefined }) {
  const why = by && REMOVED[by.action];
  const words = count === 1 ? "Message removed" : `${count} messages removed`;
  return <li className="line line-gone" style={height ? { minHeight: height } : undefined} data-order={order} data-testid="chat-gone">{words}{why ? ` (${why})` : ""}</li>;
}

/** Something that happened to the room. */
export function NoteLine({ order, line }: { order: number; line: Moderation | RaidChanged }) {
  const words =
    line.kind === "raid"
      ? `${line.raid.name} came over with ${shortCount(line.raid.viewers)} ${line.raid.viewers === 1 ? "viewer" : "viewers"}. Say hello!`
      : "The chat was cleared by a moderator.";
  return <li className="line line-note" data-order={order} data-testid="chat-note">{words}</li>;
}

/** Between two lines: what was said there could not be fetched any more. */
export function MissedLine({ order }: { order: number }) {
  return <li className="line-missed" data-order={order} data-testid="chat-missed">Some messages were missed</li>;
}
