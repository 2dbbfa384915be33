/** A recorded video, what is said of it, and what to watch after it. */
import { startTransition, useCallback, useEffect, useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { asApiError } from "../api/errors";
import { likeVideo, newestVideos, type Video } from "../api/videos";
import { useFollowing } from "../chat/useFollowing";
import { useTitle } from "../layout/useTitle";
import { SupportButtons } from "../money/SupportButtons";
import { FollowButton } from "../pages/FollowButton";
import { NotFound } from "../pages/NotFound";
import { usePolling } from "../pages/usePolling";
import { useSession } from "../session/SessionProvider";
import { Avatar } from "../ui/Avatar";
import { Button, ButtonLink } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { Message } from "../ui/Message";
import { Skeleton } from "../ui/Skeleton";
import { shortCount } from "../ui/time";
import { useToast } from "../ui/Toasts";
import { useMaking } from "../library/useMaking";
import { askAhead, dropEngine, takeVideo } from "./ahead";
import { ChatReplay } from "./ChatReplay";
import { Description } from "./Description";
import { VideoCard } from "./VideoCard";
import { VideoPlayer } from "./VideoPlayer";
import "./video.css";

/** While it is being made, better qualities come; after that only its figures change. */
const MAKING_MS = 4_000;
const REFRESH_MS = 60_000;
/** From the playlists to the first pieces of picture and sound. */
const HEAD_START_MS = 150;

export default function VideoPage() {
  const { videoId = "" } = useParams();
  return <Shown key={videoId} videoId={videoId} />;
}

function Shown({ videoId }: { videoId: string }) {
  const [making, setMaking] = useState(true);
  useEffect(() => {
    askAhead(videoId);
    return dropEngine;
  }, [videoId]);
  const { value: video, error, ask } = usePolling((signal) => takeVideo(videoId, signal), making ? MAKING_MS : REFRESH_MS);
  useEffect(() => {
    if (video) setMaking(video.status === "processing" || video.status === "uploading");
  }, [video]);
  if (error && [400, 404].includes(error.status)) return <NotFound />;
  if (!video && error) {
    return <Message icon="offline" title="The video could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>{error.message}</Message>;
  }
  if (!video) return <PageShape />;
  if (!video.playable) return <NotYet video={video} onTurn={ask} />;
  return <Stage video={video} onChanged={ask} />;
}

function Stage({ video, onChanged }: { video: Video; onChanged: () => void }) {
  const [theatre, setTheatre] = useState(false);
  const [position, setPosition] = useState(0);
  const [search] = useSearchParams();
  const from = secondsOf(search.get("t"));
  const calm = useHeadStart();
  const more = useMore(video, calm);
  const report = useCallback((seconds: number) => setPosition(seconds), []);
  useTitle(`${video.title} · ${video.creator.display_name}`);
  return (
    <div className={theatre ? "video-page video-theatre" : "video-page"} data-testid="video-page" data-status={video.status}>
      <div className="video-main">
        <VideoPlayer video={video} from={from} theatre={theatre} onTheatre={() => setTheatre(!theatre)} onPosition={report} afterEnd={more[0] ? <NextUp video={more[0]} /> : null} />
        {calm ? <About video={video} position={position} onChanged={onChanged} /> : <AboutShape />}
      </div>
      <aside className="video-side">
        {calm && video.recording && <ChatReplay videoId={video.id} channelId={video.creator.id} position={position} />}
        {more.length > 0 && (
          <section className="video-more" aria-labelledby="more-heading">
            <h2 id="more-heading">More by {video.creator.display_name}</h2>
            {more.map((each) => <VideoCard key={each.id} video={each} compact />)}
          </section>
        )}
      </aside>
    </div>
  );
}

/** False for a moment: without the rest of the page in its way, the player shows its first picture that much sooner. */
function useHeadStart(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => startTransition(() => setOver(true)), HEAD_START_MS);
    return () => clearTimeout(timer);
  }, []);
  return over;
}

function About({ video, position, onChanged }: { video: Video; position: number; onChanged: () => void }) {
  const { user } = useSession();
  const own = user?.id === video.creator.id;
  const following = useFollowing(video.creator.id, undefined, Boolean(user));
  const link = `${location.origin}/video/${video.id}`;
  return (
    <section className="video-about" aria-label="About this video">
      {video.status === "processing" && <p className="video-making" role="status" data-testid="still-made"><span className="pulse" aria-hidden="true" />Still being made: it can be watched already, and better quality is on its way.</p>}
      <h1>{video.title}</h1>
      <div className="video-row">
        <div className="video-maker">
          <Avatar id={video.creator.id} name={video.creator.display_name} size={44} />
          <Link to={`/creators/${video.creator.id}`}>{video.creator.display_name}</Link>
          {!own && <FollowButton name={video.creator.display_name} following={following} signedIn={Boolean(user)} />}
          {!own && <SupportButtons channel={{ id: video.creator.id, name: video.creator.display_name }} streamId={null} />}
        </div>
        <div className="video-deeds">
          <LikeButton video={video} onChanged={onChanged} />
          <CopyButton text={link} what="link to this video" label="Share" icon="share" />
          {position > 5 && <CopyButton text={`${link}?t=${Math.floor(position)}`} what="link to this moment" label="Share this moment" icon="share" />}
          {own && <ButtonLink to="/studio/videos" small>Edit</ButtonLink>}
        </div>
      </div>
      <div className="video-text">
        <p className="small"><strong>{video.view_count === 1 ? "1 view" : `${shortCount(video.view_count)} views`}</strong> · {new Date(video.published_at ?? video.created_at).toLocaleDateString([], { dateStyle: "long" })}{video.category && <> · {video.category}</>}{video.recording && <> · Recorded live</>}</p>
        {video.description && <Description text={video.description} />}
        {video.tags.length > 0 && <p className="video-tags">{video.tags.map((tag) => <Link key={tag} to={`/search?q=${encodeURIComponent(tag)}`}>{tag}</Link>)}</p>}
      </div>
    </section>
  );
}

function LikeButton({ video, onChanged }: { video: Video; onChanged: () => void }) {
  const { user } = useSession();
  const toast = useToast();
  const [own, setOwn] = useState<{ liked: boolean; count: number } | null>(null);
  const liked = own?.liked ?? video.liked ?? false;
  const count = own?.count ?? video.like_count;
  const words = `${shortCount(count)} ${count === 1 ? "like" : "likes"}`;
  if (!user) return <ButtonLink to="/signin" state={{ from: `/video/${video.id}` }} small icon="heart">{words}</ButtonLink>;
  const press = () => {
    setOwn({ liked: !liked, count: Math.max(0, count + (liked ? -1 : 1)) }); // at once; undone when it fails
    likeVideo(video.id, !liked).then(
      (answer) => {
        setOwn({ liked: answer.liked, count: answer.like_count });
        onChanged();
      },
      (thrown: unknown) => {
        setOwn(null);
        toast(asApiError(thrown).message, "problem");
      },
    );
  };
  return <Button small icon="heart" look={liked ? "primary" : "plain"} aria-pressed={liked} onClick={press} data-testid="like">{words}<span className="sr-only">{liked ? ": take your like back" : ": like it"}</span></Button>;
}

function NextUp({ video }: { video: Video }) {
  return <p>Next: <Link to={`/video/${video.id}`} style={{ color: "#fff" }}>{video.title}</Link></p>;
}

function NotYet({ video, onTurn }: { video: Video; onTurn: () => void }) {
  const turned = useCallback(() => {
    askAhead(video.id, true); // beside the question about the video: the moment it can be played, this page plays it
    onTurn();
  }, [video.id, onTurn]);
  useMaking(turned);
  if (video.status === "failed") {
    return <Message icon="warning" title="This video could not be made" action={<ButtonLink to="/studio/videos" look="primary">To your videos</ButtonLink>}>{video.failure?.message ?? "Try again from your library."}</Message>;
  }
  return <Message icon="clock" title="Almost there" action={<ButtonLink to="/studio/videos">To your videos</ButtonLink>} testId="not-yet">“{video.title}” is being made ready. This page begins to play by itself.</Message>;
}

function useMore(video: Video, on: boolean): Video[] {
  const [more, setMore] = useState<Video[]>([]);
  useEffect(() => {
    if (!on) return;
    const left = new AbortController();
    newestVideos({ creator: video.creator.id, limit: 9 }, left.signal).then(
      (page) => setMore(page.videos.filter((each) => each.id !== video.id).slice(0, 8)),
      () => undefined, // the video is what one came for
    );
    return () => left.abort();
  }, [video.id, video.creator.id, on]);
  return more;
}

/** `?t=90` and `?t=1m30s`; null for neither. */
export function secondsOf(text: string | null): number | null {
  const found = /^(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s?)?$/.exec(text ?? "");
  if (!text || !found) return null;
  return Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0);
}

function PageShape() {
  return (
    <div className="video-page" role="status" aria-label="Loading the video">
      <div className="video-main"><div className="player" /><AboutShape /></div>
    </div>
  );
}

function AboutShape() {
  return <div className="video-about"><Skeleton height={28} width="60%" /><Skeleton height={44} /></div>;
}
