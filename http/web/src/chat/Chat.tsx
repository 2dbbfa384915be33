/** The room beside the picture: its state, the conversation, and the field, or why there is none. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { asApiError } from "../api/errors";
import type { Acted } from "../realtime/events";
import { GetPremium } from "../money/GetPremium";
import { isSaid, type Said } from "../realtime/fold";
import type { LiveRoom } from "../realtime/useRoom";
import { Button, IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Skeleton } from "../ui/Skeleton";
import "../ui/badges.css";
import { Announcer } from "./Announcer";
import type { Look } from "./ChatLine";
import { ChatFoot, useResend, useSameIdentity } from "./ChatFoot";
import { MessageList } from "./MessageList";
import { ModeBanner } from "./ModeBanner";
import { OnTop } from "./OnTop";
import { Outcome, type Happened } from "./Outcome";
import { PeoplePanel } from "./PeoplePanel";
import { Pinned } from "./Pinned";
import { isModerator } from "./powers";
import { RaidBanner } from "./RaidBanner";
import { RisingReactions } from "./Reactions";
import { useChatSettings } from "./useChatSettings";
import { useEmotes } from "./useEmotes";
import type { Following } from "./useFollowing";
import { useLasting } from "./useLasting";
import { useShownTheme } from "./useShownTheme";
import "./chat.css";
import "../money/money.css";
import "./room.css";

const PollPanel = lazy(() => import("./PollPanel"));
const ChatSettingsPanel = lazy(() => import("./ChatSettingsPanel"));

const QUIET_MS = 1000;
type Panel = "people" | "settings" | null;

/** `following`: where there is a button to follow, the banner of a followers-only chat has one too. */
export function Chat({ live, following }: { live: LiveRoom; following?: Following }) {
  const { room, link, act } = live;
  const [settings] = useChatSettings();
  const [panel, setPanel] = useState<Panel>(null);
  const [replyTo, setReplyTo] = useState<Said | null>(null);
  const { happened, report, problem, undo, clear } = useOutcome(live);
  const emotes = useEmotes(room.stream?.creator.id ?? null);
  const look = useLook(live, emotes.byCode);
  const head = useRef<HTMLElement>(null);
  const ended = room.stream?.status === "ended";
  useSameIdentity(live);
  useResend(live);
  const close = () => {
    head.current?.querySelector<HTMLElement>(`[data-panel="${panel}"]`)?.focus();
    setPanel(null);
  };
  const noReply = useCallback(() => setReplyTo(null), []);
  // What one was about to answer may be removed meanwhile: its words go from the field too.
  const answering = replyTo && room.entries.findLast((line) => isSaid(line) && line.id === replyTo.id) ? replyTo : null;
  const unpin = isModerator(live.you) ? () => act("mod:unpin", {}).then(report, problem) : undefined;
  return (
    <section className="chat" aria-label="Chat" data-testid="chat" data-link={link} data-joined={room.joined}>
      <header className="chat-head" ref={head}>
        <h2>Chat</h2>
        <ChatState live={live} />
        {room.stream && isModerator(live.you) && <Link className="icon-button" to={`/mod/${room.stream.creator.id}`} aria-label="Moderators' desk" title="Moderators' desk" data-testid="to-desk"><Icon name="shield" /></Link>}
        <IconButton icon="people" label={panel === "people" ? "Back to the chat" : "Who is here"} aria-expanded={panel === "people"} disabled={!room.joined && panel !== "people"} onClick={() => setPanel(panel === "people" ? null : "people")} data-panel="people" data-testid="people-toggle" />
        <IconButton icon="settings" label="Chat settings" aria-expanded={panel === "settings"} onClick={() => setPanel(panel === "settings" ? null : "settings")} data-panel="settings" data-testid="chat-settings-toggle" />
      </header>
      {panel === "settings" && <Suspense fallback={null}><ChatSettingsPanel onClose={close} /></Suspense>}
      <Above live={live} look={look} following={following} {...(unpin && { onUnpin: unpin })} />
      {panel === "people" ? (
        <PeoplePanel whoIsHere={live.whoIsHere} myId={room.me?.user?.id ?? null} onClose={close} />
      ) : (
        <Conversation live={live} ended={ended} settings={settings} emotes={emotes.byCode} onReply={setReplyTo} onActed={report} onProblem={problem} />
      )}
      <RisingReactions reactions={room.reactions} calm={settings.calm} />
      <Announcer entries={room.entries} />
      {happened && <Outcome happened={happened} onUndo={undo} onClose={clear} />}
      <footer className="chat-foot"><ChatFoot live={live} ended={ended} emotes={emotes.list} replyTo={answering} onReplyDone={noReply} onActed={report} onProblem={problem} /></footer>
    </section>
  );
}

interface AboveProps {
  live: LiveRoom;
  look: Look;
  following: Following | undefined;
  onUnpin?: () => Promise<void>;
}

/** What stands over the conversation: modes, a raid, what is pinned, a poll. */
function Above({ live: { room, act, you }, look, following, onUnpin }: AboveProps) {
  const navigate = useNavigate();
  const { poll, pin, raid } = room;
  const shut = room.settings.followers_seconds !== null && you?.user && !you.capabilities.includes("skip_modes") && following?.on === false;
  const vote = (choice: number) => act("poll:vote", { poll_id: poll!.id, choice });
  return (
    <div className="chat-above">
      <ModeBanner settings={room.settings}>
        {shut && <Button small look="primary" icon="heart" busy={following.busy} onClick={() => following.change(true)}>Follow</Button>}
      </ModeBanner>
      {raid && <RaidBanner raid={raid} onGo={(streamId) => void navigate(`/watch/${streamId}`)} />}
      {pin && <Pinned key={pin.message_id} pin={pin} look={look} onUnpin={onUnpin} />}
      <OnTop messages={room.onTop} look={look} />
      {poll && <Suspense fallback={null}><PollPanel key={poll.id} poll={poll} mayVote={you?.capabilities.includes("vote") ?? false} onVote={vote} /></Suspense>}
    </div>
  );
}

interface ConversationProps extends Pick<Parameters<typeof MessageList>[0], "settings" | "emotes" | "onReply" | "onActed" | "onProblem"> {
  live: LiveRoom;
  ended: boolean;
}

function Conversation({ live, ended, ...list }: ConversationProps) {
  const { room, refused } = live;
  if (room.epoch === null && !refused) return <ChatSkeleton />;
  if (refused && (room.epoch === null || refused.code === "room.premium")) return <div className="chat-empty" data-testid="chat-refused" data-code={refused.code}><p>{refused.message}</p>{refused.code === "room.premium" && <GetPremium name="the stream">Or subscribe to this channel alone.</GetPremium>}</div>;
  if (room.entries.length + room.pending.length === 0) {
    return <div className="chat-empty" data-testid="chat-empty"><p>{ended ? "Nobody said a word." : "Quiet so far. Say the first word."}</p></div>;
  }
  return <MessageList room={room} act={live.act} onRetry={live.resend} onForget={live.forget} onHold={live.hold} {...list} />;
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

function useLook({ room }: LiveRoom, emotes: Look["emotes"]): Look {
  const theme = useShownTheme();
  const me = room.me?.user ?? null;
  return useMemo(() => ({ myId: me?.id ?? null, myName: me?.name ?? null, theme, emotes }), [me?.id, me?.name, theme, emotes]);
}

/** The last thing one did here that has an answer in words. */
function useOutcome({ act }: LiveRoom) {
  const [happened, setHappened] = useState<Happened | null>(null);
  const report = useCallback(({ message, action_id, undo_until }: Acted) => {
    if (message) setHappened({ words: message, undo: action_id && undo_until ? { actionId: action_id, until: undo_until } : null });
  }, []);
  const problem = useCallback((thrown: unknown) => {
    setHappened({ words: typeof thrown === "string" ? thrown : asApiError(thrown).message, problem: true });
  }, []);
  const undo = useCallback((action_id: string) => void act("mod:undo", { action_id }).then(report, problem), [act, report, problem]);
  const clear = useCallback(() => setHappened(null), []);
  useEffect(clear, [act, clear]);
  return { happened, report, problem, undo, clear };
}

function ChatSkeleton() {
  return (
    <div className="chat-loading" role="status" aria-label="Joining the chat">
      {[60, 85, 45, 70, 55].map((width) => <Skeleton key={width} height={16} width={`${width}%`} />)}
    </div>
  );
}
