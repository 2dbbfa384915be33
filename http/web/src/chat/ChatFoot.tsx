/** Under the conversation: the field and the reactions, or what stands between one and them. */
import { memo, useCallback, useEffect, useMemo, useRef } from "react";
import { Link, useLocation } from "react-router";
import { refreshSession } from "../api/client";
import type { Acted } from "../realtime/events";
import type { Said } from "../realtime/fold";
import { reconnectAs } from "../realtime/socket";
import type { LiveRoom } from "../realtime/useRoom";
import { randomId } from "../session/device";
import { useSession } from "../session/SessionProvider";
import { Button } from "../ui/Button";
import { commandsFor } from "./commands";
import { Composer } from "./Composer";
import type { Emote } from "./emotes";
import { slowMs } from "./modes";
import { ReactionRow } from "./Reactions";
import { Banned, TimedOut, Warned } from "./Standing";
import { usePeopleSeen } from "./usePeopleSeen";

interface FootProps {
  live: LiveRoom;
  ended: boolean;
  emotes: readonly Emote[];
  replyTo: Said | null;
  onReplyDone: () => void;
  onActed: (acted: Acted) => void;
  onProblem: (thrown: unknown) => void;
}

const SteadyComposer = memo(Composer);

export function ChatFoot(props: FootProps) {
  const { live: { room, link, closedBecause, act }, ended } = props;
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
  const { me, stream } = room;
  if (me?.user && !me.may_chat) return <p className="chat-note">You cannot write in this room.</p>;
  if (me?.restriction?.kind === "ban" && stream) return <Banned restriction={me.restriction} channelId={stream.creator.id} />;
  if (me?.restriction) return <TimedOut restriction={me.restriction} />;
  if (me?.warning) {
    const { id } = me.warning;
    return <Warned warning={me.warning} onAcknowledge={() => act("chat:acknowledge", { warning_id: id })} />;
  }
  return <Field {...props} />;
}

function Field({ live: { room, act, send }, emotes, replyTo, onReplyDone, onActed, onProblem }: FootProps) {
  const people = usePeopleSeen(room.entries);
  const { me } = room;
  const capabilities = me?.capabilities;
  const commands = useMemo(() => commandsFor(me), [capabilities]);
  const known = useMemo(() => ({ emotes, people, commands }), [emotes, people, commands]);
  const onCommand = useCallback(
    async (line: string, users: Record<string, string>) => onActed(await act("chat:command", { id: randomId(), line, users })),
    [act, onActed],
  );
  const react = (reaction: Parameters<Parameters<typeof ReactionRow>[0]["onReact"]>[0]) => void act("chat:react", { reaction }).catch(onProblem);
  const slowUntil = useSlowUntil(room);
  return (
    <>
      <ReactionRow disabled={!me?.user} onReact={react} />
      <SteadyComposer maxLength={room.settings.max_length} disabled={!me?.user} onSend={send} onCommand={onCommand} known={known} slowUntil={slowUntil} replyTo={replyTo} onReplyDone={onReplyDone} />
    </>
  );
}

/** When slow mode lets one write again, by one's own newest line; the server knows better and may still refuse. */
function useSlowUntil({ entries, pending, me, settings }: LiveRoom["room"]): number | null {
  const interval = slowMs(settings, me);
  const myId = me?.user?.id;
  const written = useRef({ id: "", at: 0 });
  const last = pending.findLast((message) => message.state !== "failed") ?? entries.findLast((line) => line.kind === "message" && line.user.id === myId);
  // The clocks may differ: what was written is never in the future, and its time does not change once it is known.
  if (last && "id" in last && last.id !== written.current.id) written.current = { id: last.id, at: Math.min("at" in last ? last.at : 0, Date.now()) };
  return interval && last ? written.current.at + interval : null;
}

/** The socket may know less than the page (an access cookie that ran out): refresh, and come back as oneself. */
export function useSameIdentity({ room }: LiveRoom) {
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

const UNANSWERED = new Set(["sending", "failed"]);

/** After a reconnect, messages that got no answer are sent again under their ids: stored once, whatever had arrived. */
export function useResend({ room, resend }: LiveRoom) {
  const { joined } = room;
  const pending = useRef(room.pending);
  pending.current = room.pending;
  useEffect(() => {
    if (!joined) return;
    for (const { id, text, state } of pending.current) {
      if (UNANSWERED.has(state)) resend(id, text);
    }
  }, [joined, resend]);
}
