/** The conversation: follows the newest line until one scrolls up, then holds still and counts what came. */
import { Fragment, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { isSaid } from "../realtime/fold";
import type { Room } from "../realtime/room";
import { Icon } from "../ui/icons";
import { ChatLine } from "./ChatLine";
import { PendingLine } from "./PendingLine";

interface ListProps {
  room: Room;
  times: boolean;
  onRetry: (id: string, text: string) => void;
  onForget: (id: string) => void;
}

/** Within this many pixels of the end one is reading the end. */
const NEAR_END_PX = 48;

export function MessageList({ room, times, onRetry, onForget }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [heldAt, setHeldAt] = useState<number | null>(null);
  const me = room.me?.user ?? null;
  const last = room.dropped + room.entries.length;
  const held = heldAt !== null;
  const missed = held ? last - heldAt : 0;

  const toEnd = useCallback(() => {
    const list = box.current;
    if (list) list.scrollTop = list.scrollHeight;
  }, []);

  useLayoutEffect(() => {
    if (!held) toEnd();
  }, [held, last, room.pending, toEnd]);

  // The phone's keyboard, a rotated screen or theatre mode change the height: stay at the end.
  useEffect(() => {
    const list = box.current;
    if (!list || held) return;
    const observer = new ResizeObserver(toEnd);
    observer.observe(list);
    return () => observer.disconnect();
  }, [held, toEnd]);

  const onScroll = () => {
    const list = box.current;
    if (!list) return;
    const fromEnd = list.scrollHeight - list.scrollTop - list.clientHeight;
    if (fromEnd < NEAR_END_PX) setHeldAt(null);
    else if (!held) setHeldAt(last);
  };

  return (
    <div className="chat-scroll">
      <div ref={box} className={`chat-list ${times ? "chat-times" : ""}`} onScroll={onScroll} tabIndex={0} role="log" aria-live="off" aria-label="Chat messages" data-testid="chat-list">
      <ol>
        {room.entries.map((entry, index) => (
          <Fragment key={room.dropped + index}>
            {room.gaps.includes(room.dropped + index) && <MissedLine />}
            {isSaid(entry) && <ChatLine user={entry.user} text={entry.text} at={entry.at} myId={me?.id ?? null} myName={me?.name ?? null} />}
          </Fragment>
        ))}
        {room.gaps.includes(last) && <MissedLine />}
        {room.pending.map((message) => (
          <PendingLine key={message.id} message={message} onRetry={onRetry} onForget={onForget} />
        ))}
      </ol>
      </div>
      {held && (
        <button type="button" className="chat-jump" onClick={() => setHeldAt(null)} data-testid="chat-jump">
          <Icon name="down" size={16} />
          {missed === 0 ? "To the newest" : missed === 1 ? "1 new message" : `${missed} new messages`}
        </button>
      )}
    </div>
  );
}

/** Between two lines: what was said there could not be fetched any more. */
function MissedLine() {
  return <li className="line-missed" data-testid="chat-missed">Some messages were missed</li>;
}
