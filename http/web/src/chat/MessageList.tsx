/**
 * The conversation: follows the newest line until one scrolls up or chooses a line, then holds still and counts what
 * came. Arrows choose a line, R answers it, Enter opens what one can do with it, End goes back to the newest.
 */
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Acted } from "../realtime/events";
import { isSaid, type Said } from "../realtime/fold";
import type { Room } from "../realtime/room";
import type { Act } from "../realtime/useRoom";
import { Icon } from "../ui/icons";
import { GoneLine, MissedLine, NoteLine, SaidLine, type Look } from "./ChatLine";
import { builtinEmotes, type Emote } from "./emotes";
import { LineTools } from "./LineTools";
import { PendingLine } from "./PendingLine";
import { choosable, nextChoice, rowsOf, type ChatRow } from "./rows";
import { plainChat, type ChatSettings } from "./useChatSettings";
import { useShownTheme } from "./useShownTheme";
import { VirtualList, type ListHandle } from "./VirtualList";

interface MessageListProps {
  room: Room;
  settings?: ChatSettings;
  emotes?: ReadonlyMap<string, Emote>;
  act?: Act;
  onRetry: (id: string, text: string) => void;
  onForget: (id: string) => void;
  onReply?: (line: Said) => void;
  onActed?: (acted: Acted) => void;
  onProblem?: (words: string) => void;
  /** Somebody reads further up: `hold` of the room. */
  onHold?: (on: boolean) => void;
}

export const builtinByCode: ReadonlyMap<string, Emote> = new Map(builtinEmotes.map((emote) => [emote.code, emote]));

export function MessageList(props: MessageListProps) {
  const { room, settings = plainChat, emotes = builtinByCode, onRetry, onForget, onHold } = props;
  const last = room.dropped + room.entries.length;
  const [heldAt, setHeldAt] = useState<number | null>(null);
  const apart = useRef<ReadonlySet<number> | null>(null);
  if (heldAt === null) apart.current = null;
  const rows = useMemo(() => rowsOf(room, { hideRemoved: !settings.removed, apart: apart.current }), [room, settings.removed, heldAt]);
  if (heldAt !== null) apart.current ??= new Set(rows.filter(choosable).map((row) => row.order));
  const [pointed, setPointed] = useState<number | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const handle = useRef<ListHandle>(null);
  const held = heldAt !== null;
  const newest = useRef(last);
  newest.current = last;

  /** Held by the pointer on the buttons of a line alone: let go when it leaves. */
  const pointing = useRef(false);
  const setHeld = useCallback((on: boolean) => setHeldAt((before) => (on ? (before ?? newest.current) : null)), []);
  useEffect(() => {
    onHold?.(held);
    if (!held) setChosen(null);
  }, [held, onHold]);
  const toEnd = () => {
    pointing.current = false;
    setHeld(false);
    setPointed(null);
  };
  const choose = (order: number) => {
    setHeld(true);
    setChosen(order);
    handle.current?.focusRow(order);
  };
  const onKeyDown = useListKeys({ rows, chosen, choose, toEnd, ...(props.onReply && { onReply: props.onReply }) });
  const pointAt = (event: PointerEvent) => {
    const line = (event.target as Element).closest<HTMLElement>("[data-order]");
    setPointed(line ? Number(line.dataset["order"]) : null);
  };

  const onLeave = (event: PointerEvent) => {
    setPointed(null);
    if (pointing.current && chosen === null && !event.currentTarget.querySelector(".line-sheet")) toEnd();
  };
  const standStill = () => {
    if (!held) pointing.current = true;
    setHeld(true);
  };
  const onHeldByScroll = (on: boolean) => {
    pointing.current = false;
    setHeld(on);
  };

  const me = room.me?.user ?? null;
  const theme = useShownTheme();
  const look = useMemo<Look>(() => ({ myId: me?.id ?? null, myName: me?.name ?? null, theme, emotes }), [me?.id, me?.name, theme, emotes]);
  const active = chosen ?? pointed;
  const missed = held ? Math.max(0, last - heldAt) : 0;
  const classes = ["chat-list", `chat-${settings.size}`, settings.times && "chat-times", !settings.badges && "chat-bare"].filter(Boolean).join(" ");
  return (
    <div className="chat-scroll">
      <VirtualList
        rows={rows} held={held} onHeld={onHeldByScroll} handle={handle} className={classes} onKeyDown={onKeyDown}
        onPointerOver={pointAt} onPointerLeave={onLeave} tabIndex={0} role="log" aria-live="off" aria-label="Chat messages" data-testid="chat-list"
      >
        {(row, height) => {
          if (row.type === "gap") return <MissedLine key={row.key} order={row.order} />;
          if (row.type === "gone") return <GoneLine key={row.key} order={row.order} count={row.count} by={row.by} height={apart.current?.has(row.order) ? height : undefined} />;
          if (row.type === "note") return <NoteLine key={row.key} order={row.order} line={row.line} />;
          if (row.type === "pending") return <PendingLine key={row.key} order={row.order} message={row.message} onRetry={onRetry} onForget={onForget} />;
          const answered = answerOf(row.line, room, choose);
          const tools = row.order === active && props.act && !row.removedBy;
          return (
            <SaidLine
              key={row.key} line={row.line} look={look} order={row.order} selected={row.order === chosen} removedBy={row.removedBy} {...answered}
              tools={tools ? <LineTools line={row.line} you={room.me} list={props} onStill={standStill} /> : undefined}
            />
          );
        }}
      </VirtualList>
      {held && (
        <button type="button" className="chat-jump" onClick={toEnd} data-testid="chat-jump">
          <Icon name="down" size={16} />
          {missed === 0 ? "To the newest" : missed === 1 ? "1 new message" : `${missed} new messages`}
        </button>
      )}
    </div>
  );
}

/** The message a line answers, when it is still on the page: its words, and the way to it. */
function answerOf(line: Said, room: Room, choose: (order: number) => void): { answered?: string; onAnswered?: () => void } {
  const reply = line.kind === "message" ? line.reply : null;
  if (!reply) return {};
  const index = room.entries.findLastIndex((one) => isSaid(one) && one.id === reply.id && one.user.id === reply.user_id);
  const found = room.entries[index];
  return found && isSaid(found) ? { answered: found.text, onAnswered: () => choose(room.dropped + index) } : {};
}

interface Keys {
  rows: ChatRow[];
  chosen: number | null;
  choose: (order: number) => void;
  toEnd: () => void;
  onReply?: (line: Said) => void;
}

function useListKeys({ rows, chosen, choose, toEnd, onReply }: Keys) {
  return (event: KeyboardEvent<HTMLDivElement>) => {
    const target = event.target as HTMLElement;
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest("button, input, select")) return;
    const line = rows.find((row) => row.order === chosen && choosable(row));
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const next = nextChoice(rows, chosen, event.key === "ArrowUp" ? -1 : 1);
      if (next !== null) choose(next);
    } else if (event.key === "End" || (event.key === "Escape" && chosen !== null)) {
      toEnd();
      event.currentTarget.focus({ preventScroll: true });
    } else if (event.key.toLowerCase() === "r" && line?.type === "said" && onReply) {
      onReply(line.line);
    } else if (event.key === "Enter" && line) {
      (target.querySelector<HTMLElement>("[data-line-menu]") ?? target.querySelector<HTMLElement>(".line-tool"))?.click();
    } else return;
    event.preventDefault();
  };
}
