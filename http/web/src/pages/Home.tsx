import { useState } from "react";
import { liveStreams } from "../api/calls";
import { asApiError } from "../api/errors";
import type { Stream } from "../api/types";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Message } from "../ui/Message";
import { Skeleton } from "../ui/Skeleton";
import { useToast } from "../ui/Toasts";
import { FreshVideos } from "../video/FreshVideos";
import { StreamCard } from "./StreamCard";
import { usePolling } from "./usePolling";
import "./home.css";

const REFRESH_MS = 15_000;

export function Home() {
  useTitle(null);
  const { value, error, ask } = usePolling((signal) => liveStreams(signal), REFRESH_MS);
  const { more, loadMore, loading } = useMore();
  if (!value && error) {
    return (
      <>
        <Message icon="offline" title="We could not load what is live" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>
          {error.message}
        </Message>
        <div className="page"><FreshVideos heading="Fresh videos" /></div>
      </>
    );
  }
  if (!value) return <HomeSkeleton />;
  if (value.streams.length === 0) return <div className="page"><NobodyLive /><FreshVideos heading="Fresh videos" /></div>;
  const shown = distinct([...value.streams, ...more.streams]);
  const cursor = more.streams.length ? more.cursor : value.next_cursor;
  return (
    <div className="page">
      <header className="home-heading">
        <h1>Live now</h1>
        <p className="muted" role="status">{error ? "Cannot be refreshed right now; trying again." : ""}</p>
      </header>
      <ul className="cards" data-testid="live-list">
        {shown.map((stream) => <li key={stream.id}><StreamCard stream={stream} /></li>)}
      </ul>
      {cursor && <p className="home-more"><Button busy={loading} onClick={() => loadMore(cursor)}>Show more</Button></p>}
      <div className="home-videos"><FreshVideos heading="Fresh videos" /></div>
    </div>
  );
}

/** The pages after the first one; they are not refreshed, the first one wins where both know a stream. */
function useMore() {
  const [more, setMore] = useState<{ streams: Stream[]; cursor: string | null }>({ streams: [], cursor: null });
  const [loading, setLoading] = useState(false);
  const toast = useToast();
  const loadMore = (cursor: string) => {
    setLoading(true);
    liveStreams(undefined, cursor)
      .then((page) => setMore((known) => ({ streams: [...known.streams, ...page.streams], cursor: page.next_cursor })))
      .catch((thrown: unknown) => toast(asApiError(thrown).message, "problem"))
      .finally(() => setLoading(false));
  };
  return { more, loadMore, loading };
}

const distinct = (streams: Stream[]) => [...new Map(streams.toReversed().map((stream) => [stream.id, stream])).values()].reverse();

function NobodyLive() {
  const { user } = useSession();
  return (
    <section className="home-free" data-testid="nobody-live">
      <span className="message-icon"><Icon name="camera" size={28} /></span>
      <div>
        <h1>The stage is free</h1>
        <p className="muted">Nobody is live right now. It takes about a minute to start a stream with OBS or ffmpeg, and this page fills by itself as soon as somebody does.</p>
      </div>
      <div className="row">
        <ButtonLink to={user ? "/studio" : "/signup"} state={{ from: "/studio" }} look="primary">Go live yourself</ButtonLink>
        {user === null && <ButtonLink to="/signin">Sign in</ButtonLink>}
      </div>
    </section>
  );
}

function HomeSkeleton() {
  return (
    <div className="page" role="status" aria-label="Loading what is live">
      <header className="home-heading"><Skeleton height={32} width={140} /></header>
      <div className="cards">
        {[0, 1, 2, 3, 4, 5].map((index) => (
          <div key={index} className="card-skeleton">
            <div className="skeleton" />
            <Skeleton height={18} width="80%" />
            <Skeleton height={14} width="50%" />
          </div>
        ))}
      </div>
    </div>
  );
}
