/** The newest videos, of everybody or of one creator, page by page. */
import { useCallback, useEffect, useState } from "react";
import { asApiError } from "../api/errors";
import { newestVideos, type Video } from "../api/videos";
import { Button } from "../ui/Button";
import { CardsSkeleton } from "./CardsSkeleton";
import { useFirstNew } from "./useFirstNew";
import { VideoCard } from "./VideoCard";

interface FreshProps {
  heading: string;
  creator?: string;
  /** What to say when there is none; nothing at all without it. */
  empty?: string;
}

export function FreshVideos({ heading, creator, empty }: FreshProps) {
  const { videos, more, busy, problem, take } = useNewest(creator);
  const { list, expectMore } = useFirstNew(videos?.length ?? 0);
  if (videos?.length === 0 && !empty) return null;
  return (
    <section aria-label={heading} className="stack">
      <h2>{heading}</h2>
      {!videos && !problem && <CardsSkeleton label="Loading videos" />}
      {videos && videos.length > 0 && <ul ref={list} className="cards" data-testid="fresh-videos">{videos.map((video) => <li key={video.id}><VideoCard video={video} level={3} /></li>)}</ul>}
      {videos?.length === 0 && <p className="muted">{empty}</p>}
      {problem && <p className="row"><span className="muted" role="alert">{problem}</span><Button small icon="retry" busy={busy} onClick={take}>Try again</Button></p>}
      {more && !problem && <p className="home-more"><Button busy={busy} onClick={() => { expectMore(); take(); }}>Show more</Button></p>}
    </section>
  );
}

function useNewest(creator: string | undefined) {
  const [page, setPage] = useState<{ videos: Video[]; cursor: string | null } | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const ask = useCallback(
    (had: typeof page, signal?: AbortSignal) => {
      setBusy(true);
      newestVideos({ limit: 24, cursor: had?.cursor ?? null, ...(creator && { creator }) }, signal).then(
        ({ videos, next_cursor }) => {
          if (signal?.aborted) return;
          const known = new Set(had?.videos.map(({ id }) => id));
          setPage({ videos: [...(had?.videos ?? []), ...videos.filter(({ id }) => !known.has(id))], cursor: next_cursor });
          setProblem(null);
          setBusy(false);
        },
        (thrown: unknown) => {
          if (signal?.aborted) return;
          setProblem(asApiError(thrown).message);
          setBusy(false);
        },
      );
    },
    [creator],
  );
  useEffect(() => {
    const left = new AbortController();
    ask(null, left.signal);
    return () => left.abort();
  }, [ask]);
  return { videos: page?.videos ?? null, more: page?.cursor != null, busy, problem, take: () => ask(page) };
}
