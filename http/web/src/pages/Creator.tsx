/** Somebody who streams and publishes: live now, videos, and a way to follow. */
import { useParams } from "react-router";
import { fetchCreator, type Creator as Shown } from "../api/videos";
import { useFollowing } from "../chat/useFollowing";
import { useTitle } from "../layout/useTitle";
import { SupportButtons } from "../money/SupportButtons";
import { useSession } from "../session/SessionProvider";
import { Avatar } from "../ui/Avatar";
import { Button, ButtonLink } from "../ui/Button";
import { Message } from "../ui/Message";
import { PageSkeleton } from "../ui/Skeleton";
import { FreshVideos } from "../video/FreshVideos";
import { FollowButton } from "./FollowButton";
import { NotFound } from "./NotFound";
import { StreamCard } from "./StreamCard";
import { usePolling } from "./usePolling";
import "./home.css";
import "./history.css";

const REFRESH_MS = 15_000;

export default function Creator() {
  const { creatorId = "" } = useParams();
  const { value, error, ask } = usePolling((signal) => fetchCreator(creatorId, signal), REFRESH_MS);
  if (error && [400, 404].includes(error.status)) return <NotFound />;
  if (!value && error) return <Message icon="offline" title="This page could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>{error.message}</Message>;
  return value ? <Page key={creatorId} creator={value} /> : <PageSkeleton />;
}

function Page({ creator }: { creator: Shown }) {
  useTitle(creator.display_name);
  const { user } = useSession();
  const own = user?.id === creator.id;
  const following = useFollowing(creator.id, undefined, Boolean(user));
  const followers = following.followers ?? creator.followers;
  return (
    <div className="page stack" data-testid="creator-page">
      <header className="creator-head">
        <Avatar id={creator.id} name={creator.display_name} size={84} />
        <div>
          <h1>{creator.display_name}</h1>
          <p className="muted">{followers === 1 ? "1 follower" : `${followers.toLocaleString("en")} followers`} · {creator.videos === 1 ? "1 video" : `${creator.videos.toLocaleString("en")} videos`}</p>
        </div>
        {own ? <ButtonLink to="/studio/videos">Your studio</ButtonLink> : (
          <span className="row">
            <FollowButton name={creator.display_name} following={following} signedIn={Boolean(user)} />
            <SupportButtons channel={{ id: creator.id, name: creator.display_name }} streamId={creator.live?.id ?? null} />
          </span>
        )}
      </header>
      {creator.live && (
        <section aria-labelledby="live-heading" className="stack">
          <h2 id="live-heading">Live now</h2>
          <div className="creator-live"><StreamCard stream={creator.live} /></div>
        </section>
      )}
      <FreshVideos creator={creator.id} heading="Videos" empty={own ? "You have no public videos yet. Upload one in your studio, or go live with recording on." : `${creator.display_name} has no videos yet.`} />
    </div>
  );
}
