/** The room beside the picture: its state, the conversation, and the field, or why there is none. */
import { useEffect, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { refreshSession } from "../api/client";
import { reconnectAs } from "../realtime/socket";
import type { LiveRoom } from "../realtime/useRoom";
import { useSession } from "../session/SessionProvider";
import { Button, IconButton } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import "../ui/badges.css";
import { Announcer } from "./Announcer";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import { PeoplePanel } from "./PeoplePanel";
import { useLasting } from "./useLasting";
import "./chat.css";

const QUIET_MS = 1000;

export function Chat({ live }: { live: LiveRoom }) {
  const { room, link, refused, resend, forget } = live;
  const [times, setTimes] = useTimes();
  const [peopleShown, setPeopleShown] = useState(false);
  const peopleButton = useRef<HTMLDivElement>(null);
  const closePeople = () => {
    setPeopleShown(false);
    peopleButton.current?.querySelector("button")?.focus();
  };
  const ended = room.stream?.status === "ended";
  useSameIdentity(live);
  useResend(live);
  return (
    <section className="chat" aria-label="Chat" data-testid="chat" data-link={link} data-joined={room.joined}>
      <header className="chat-head">
        <h2>Chat</h2>
        <ChatState live={live} />
        <div ref={peopleButton}>
          <IconButton icon="people" label={peopleShown ? "Back to the chat" : "Who is here"} aria-expanded={peopleShown} disabled={!room.joined && !peopleShown} onClick={() => setPeopleShown(!peopleShown)} data-testid="people-toggle" />
        </div>
        <IconButton icon="clock" label={times ? "Hide times" : "Show times"} aria-pressed={times} onClick={() => setTimes(!times)} />
      </header>
      {peopleShown ? (
        <PeoplePanel whoIsHere={live.whoIsHere} myId={room.me?.user?.id ?? null} onClose={closePeople} />
      ) : room.epoch === null && !refused ? (
        <ChatSkeleton />
      ) : refused && room.epoch === null ? (
        <div className="chat-empty"><p>{refused.message}</p></div>
      ) : room.entries.length + room.pending.length === 0 ? (
        <div className="chat-empty" data-testid="chat-empty"><p>{ended ? "Nobody said a word." : "Quiet so far. Say the first word."}</p></div>
      ) : (
        <MessageList room={room} times={times} onForget={forget} onRetry={resend} />
      )}
      <Announcer entries={room.entries} />
      <footer className="chat-foot"><ChatFoot live={live} ended={ended} /></footer>
    </section>
  );
}

/** Most recoveries take less than a second and are nobody's business. */
function ChatState({ live: { room, link } }: { live: LiveRoom }) {
  const away = link === "reconnecting" || (link === "connected" && !room.joined && room.epoch !== null);
  const behind = link === "connected" && room.loss !== null;
  const long = useLasting(away || behind, QUIET_MS);
  const words = link === "closed" ? "Disconnected" : !long ? null : away ? "Reconnecting" : "Catching up";
  return (
    <span className="chat-state" role="status" data-testid="chat-state">
      {words && <><span className="pulse" aria-hidden="true" />{words}</>}
    </span>
  );
}

function ChatFoot({ live: { room, link, closedBecause, send }, ended }: { live: LiveRoom; ended: boolean }) {
  const { user } = useSession();
  const { pathname } = useLocation();
  if (ended) return <p className="chat-note">The stream is over, and so is its chat.</p>;
  if (link === "closed") {
    return (
      <div className="chat-closed" data-testid="chat-closed">
        <p className="chat-note" role="alert">{closedBecause}</p>
        <Button wide icon="retry" onClick={() => void refreshSession().finally(reconnectAs)}>Connect again</Button>
      </div>
    );
  }
  if (user === null) {
    return (
      <p className="chat-note" data-testid="chat-signin">
        <Link to="/signin" state={{ from: pathname }}>Sign in to chat</Link> or <Link to="/signup" state={{ from: pathname }}>make an account</Link>.
      </p>
    );
  }
  if (room.me && room.me.user && !room.me.may_chat) return <p className="chat-note">You cannot write in this room.</p>;
  return <Composer maxLength={room.settings.max_length} disabled={!room.me?.user} onSend={(text) => send(text)} />;
}

/** The socket may know less than the page (an access cookie that ran out): refresh, and come back as oneself. */
function useSameIdentity({ room }: LiveRoom) {
  const { user } = useSession();
  const tried = useRef(false);
  const anonymous = room.joined && room.me !== null && room.me.user === null;
  useEffect(() => {
    if (!anonymous) tried.current = false;
    if (!anonymous || !user || tried.current) return;
    tried.current = true;
    void refreshSession().then((fresh) => fresh && reconnectAs());
  }, [anonymous, user]);
}

/** After a reconnect, messages that got no answer are sent again under their ids: stored once, whatever had arrived. */
function useResend({ room, resend }: LiveRoom) {
  const { joined } = room;
  const pending = useRef(room.pending);
  pending.current = room.pending;
  useEffect(() => {
    if (!joined) return;
    for (const { id, text, state } of pending.current) {
      if (state !== "sent") resend(id, text);
    }
  }, [joined, resend]);
}

function useTimes(): [boolean, (on: boolean) => void] {
  const [times, setTimes] = useState(() => {
    try {
      return localStorage.getItem("footlight.chat_times") === "1";
    } catch {
      return false;
    }
  });
  const choose = (on: boolean) => {
    setTimes(on);
    try {
      localStorage.setItem("footlight.chat_times", on ? "1" : "0");
    } catch {
      // Storage can be forbidden; the choice is then for this page only.
    }
  };
  return [times, choose];
}

function ChatSkeleton() {
  return (
    <div className="chat-loading" role="status" aria-label="Joining the chat">
      {[60, 85, 45, 70, 55].map((width) => <Skeleton key={width} height={16} width={`${width}%`} />)}
    </div>
  );
}
