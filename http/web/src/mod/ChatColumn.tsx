/** The room's chat for who keeps order: pick a line, act on it; what is removed stays readable here. */
import { memo } from "react";
import { price } from "../money/amounts";
import { Button } from "../ui/Button";
import { hueOf } from "../ui/identity";
import { timeOfDay } from "../ui/time";
import { useChannel } from "./ChannelContext";
import { CommandLine } from "./CommandLine";
import type { KeyDeed } from "./keys";
import { saidAt, type ChatItem } from "./lines";
import { PickList } from "./PickList";
import type { StillList } from "./useStill";

interface ChatColumnProps {
  list: StillList<ChatItem>;
  /** Ids of messages whose removal was asked for and not answered yet. */
  going: ReadonlySet<string>;
  onDeed: (deed: KeyDeed) => void;
  listId: string;
}

const BUTTONS: { deed: KeyDeed; label: string; key: string }[] = [
  { deed: "delete", label: "Delete", key: "D" },
  { deed: "timeout", label: "Time out", key: "T" },
  { deed: "ban", label: "Ban", key: "B" },
  { deed: "warn", label: "Warn", key: "W" },
  { deed: "pin", label: "Pin", key: "P" },
];

export function ChatColumn({ list, going, onDeed, listId }: ChatColumnProps) {
  const { live } = useChannel();
  return (
    <>
      <RoomState />
      <PickList
        id={listId} label="Chat messages" {...list} onSelect={list.pick} onHold={list.hold} onLive={list.goLive}
        option={(item) => <ChatOption item={item} going={going.has(saidAt(item)?.id ?? "")} />}
        empty={live ? "Quiet so far." : "Nothing is live. The other columns work as always."}
      />
      <DeedBar label="Actions on the selected message" buttons={BUTTONS} on={list.selected !== null} onDeed={onDeed} />
      <CommandLine />
    </>
  );
}

interface DeedBarProps {
  label: string;
  buttons: { deed: KeyDeed; label: string; key: string }[];
  on: boolean;
  onDeed: (deed: KeyDeed) => void;
}

export function DeedBar({ label, buttons, on, onDeed }: DeedBarProps) {
  return (
    <div className="desk-bar" role="toolbar" aria-label={label}>
      {buttons.map(({ deed, label: words, key }) => (
        <Button key={deed} small look="quiet" disabled={!on} onClick={() => onDeed(deed)} data-deed={deed}>{words} <kbd aria-hidden="true">{key}</kbd></Button>
      ))}
    </div>
  );
}

const ROLE_WORDS = { creator: "Creator", admin: "Admin", moderator: "Mod", vip: "VIP", viewer: null } as const;

export const ChatOption = memo(function ChatOption({ item, going }: { item: ChatItem; going: boolean }) {
  const { line } = item;
  if (line.kind === "moderation") return <em className="desk-event">The chat was cleared.</em>;
  if (line.kind === "raid") return <em className="desk-event">{line.raid.name} came by with {line.raid.viewers} viewers.</em>;
  const said = saidAt(item);
  const removed = line.kind === "removed";
  const why = line.kind === "removed" && line.by ? { delete: "deleted", clear: "cleared", timeout: "timed out", ban: "banned" }[line.by.action as string] : null;
  if (!said) return <em className="desk-event">Removed</em>;
  const badge = ROLE_WORDS[said.user.role];
  return (
    <span className={going ? "desk-going" : undefined} data-removed={removed || undefined}>
      <time dateTime={new Date(said.at).toISOString()}>{timeOfDay(said.at)}</time>{" "}
      {badge && <span className={`desk-role desk-role-${said.user.role}`}>{badge}</span>}{" "}
      <b style={{ ["--hue" as string]: hueOf(said.user.id) }}>{said.user.name}</b>{" "}
      {said.kind === "message" && said.paid && <><span className="tag">Paid {price(said.paid.amount_minor, said.paid.currency)}</span>{" "}</>}
      {removed ? <><del>{said.text}</del> <em className="desk-why">{why ?? "removed"}</em></> : <span>{said.text}</span>}
      {going && !removed && <em className="desk-why"> removing</em>}
    </span>
  );
});

/** In words, beside what it is about; the desk's live region says it aloud. */
function RoomState() {
  const { live } = useChannel();
  if (!live) return null;
  const { link, closedBecause, refused, room } = live;
  const words = link === "closed" ? (closedBecause ?? "Disconnected.")
    : refused && !room.joined ? refused.message
    : link === "reconnecting" || !room.joined ? "Reconnecting. What you do now goes over HTTP."
    : room.loss ? "Catching up." : null;
  return words ? <p className="desk-state" data-testid="desk-state">{words}</p> : null;
}
