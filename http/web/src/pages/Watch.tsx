import { useState } from "react";
import { Link, useParams } from "react-router";
import { fetchStream } from "../api/calls";
import type { Stream, StreamStatus } from "../api/types";
import { Chat } from "../chat/Chat";
import { useFollowing, type Following } from "../chat/useFollowing";
import { useTitle } from "../layout/useTitle";
import { SupportButtons } from "../money/SupportButtons";
import { Player } from "../player/Player";
import { useRoom } from "../realtime/useRoom";
import { useSession } from "../session/SessionProvider";
import { Avatar } from "../ui/Avatar";
import { StatusBadge, ViewerCount } from "../ui/badges";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { Message } from "../ui/Message";
import { Skeleton } from "../ui/Skeleton";
import { duration, secondsSince } from "../ui/time";
import { useNow } from "../ui/useNow";
import { FollowButton } from "./FollowButton";
import { NotFound } from "./NotFound";
import { usePolling } from "./usePolling";
import { WatchNext } from "./WatchNext";
import "./watch.css";

/** The room says at once what changes; this is for when the room cannot be reached. */
const REFRESH_MS = 30_000;

export default function Watch() {
  const { streamId = "" } = useParams();
  return <WatchStream key={streamId} streamId={streamId} />;
}

function WatchStream({ streamId }: { streamId: string }) {
  const { value: stream, error, ask } = usePolling((signal) => fetchStream(streamId, signal), REFRESH_MS);
  if (stream) return <Stage stream={stream} />;
  if (error?.status === 404 || error?.status === 400) return <NotFound />;
  if (error) {
    return (
      <Message icon="offline" title="The stream could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>
        {error.message}
      </Message>
    );
  }
  return <WatchSkeleton />;
}

function Stage({ stream }: { stream: Stream }) {
  const live = useRoom(stream.id);
  const { user } = useSession();
  const [theatre, setTheatre] = useState(false);
  const me = live.room.joined ? live.you : null;
  const following = useFollowing(stream.creator.id, me?.user ? me.following_since : undefined, Boolean(user));
  const told = live.room.joined ? live.room.stream : null;
  const status: StreamStatus = told?.status ?? stream.status;
  const shown = { ...stream, status, title: told?.title ?? stream.title, category: told ? told.category : stream.category };
  useTitle(`${shown.title} · ${stream.creator.display_name}`);
  return (
    <div className={theatre ? "watch watch-theatre" : "watch"} data-testid="watch" data-status={status}>
      <div className="watch-player">
        <Player
          streamId={stream.id} title={shown.title} creatorName={stream.creator.display_name} latency={stream.latency} status={status}
          theatre={theatre} onTheatre={() => setTheatre(!theatre)} afterEnd={<WatchNext over={shown} />}
        />
      </div>
      <StreamInfo stream={shown} viewers={live.room.viewers ?? stream.viewers} following={user?.id === stream.creator.id ? null : following} signedIn={Boolean(user)} paidMessages={live.room.joined && live.room.settings.paid_messages !== "off"} />
      <aside className="watch-chat"><Chat live={live} following={following} /></aside>
    </div>
  );
}

interface InfoProps {
  stream: Stream;
  viewers: number;
  /** null for one's own channel. */
  following: Following | null;
  signedIn: boolean;
  /** Whether the room takes messages that are paid for. */
  paidMessages: boolean;
}

function StreamInfo({ stream, viewers, following, signedIn, paidMessages }: InfoProps) {
  const now = useNow(30_000);
  const { creator, status, category } = stream;
  return (
    <section className="watch-info" aria-label="About this stream">
      <Avatar id={creator.id} name={creator.display_name} size={48} />
      <div className="watch-words">
        <h1>{stream.title}</h1>
        <p className="row">
          <strong><Link to={`/creators/${creator.id}`} className="card-creator">{creator.display_name}</Link></strong>
          <StatusBadge status={status} />
          {category && <span className="tag">{category}</span>}
          {status !== "ended" && stream.started_at && <span className="muted small">for {duration(secondsSince(stream.started_at, now))}</span>}
        </p>
      </div>
      <div className="watch-side">
        {following && <FollowButton name={creator.display_name} following={following} signedIn={signedIn} />}
        {following && <SupportButtons channel={{ id: creator.id, name: creator.display_name }} streamId={status === "live" || status === "interrupted" ? stream.id : null} messages={paidMessages} />}
        {status !== "ended" && <ViewerCount count={viewers} />}
        <span className="watch-share"><CopyButton text={location.href} what="link to this stream" label="Share" icon="share" /></span>
      </div>
    </section>
  );
}

function WatchSkeleton() {
  return (
    <div className="watch" role="status" aria-label="Loading the stream">
      <div className="watch-player"><div className="player" /></div>
      <div className="watch-info"><Skeleton height={48} width={48} /><div className="watch-words stack"><Skeleton height={24} width="60%" /><Skeleton height={16} width="30%" /></div></div>
      <aside className="watch-chat"><div className="chat" /></aside>
    </div>
  );
}

