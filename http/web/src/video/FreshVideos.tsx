/** The newest videos, of everybody or of one creator, page by page. */
import { useCallback, useEffect, useState } from "react";
import { asApiError } from "../api/errors";
import { newestVideos, type Video } from "../api/videos";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import { VideoCard } from "./VideoCard";

interface FreshProps {
  heading: string;
  creator?: string;
  /** What to say when there is none; nothing at all without it. */
  empty?: string;
}

export function FreshVideos({ heading, creator, empty }: FreshProps) {
  const [videos, setVideos] = useState<Video[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const take = useCallback(
    (from: string | null) => {
      newestVideos({ limit: 24, cursor: from, ...(creator && { creator }) }).then(
        (page) => {
          setVideos((had) => [...(from ? (had ?? []) : []), ...page.videos]);
          setCursor(page.next_cursor);
          setProblem(null);
        },
        (thrown: unknown) => setProblem(asApiError(thrown).message),
      );
    },
    [creator],
  );
  useEffect(() => take(null), [take]);
  if (videos?.length === 0 && !empty) return null;
  return (
    <section aria-label={heading} className="stack">
      <h2>{heading}</h2>
      {problem && <p className="row"><span className="muted" role="status">{problem}</span><Button small icon="retry" onClick={() => take(cursor)}>Try again</Button></p>}
      {!videos && !problem && <div className="cards">{[0, 1, 2, 3].map((each) => <div key={each} className="card-skeleton"><div className="skeleton" /><Skeleton height={18} width="80%" /></div>)}</div>}
      {videos && videos.length > 0 && <ul className="cards" data-testid="fresh-videos">{videos.map((video) => <li key={video.id}><VideoCard video={video} /></li>)}</ul>}
      {videos?.length === 0 && <p className="muted">{empty}</p>}
      {cursor && <p className="home-more"><Button onClick={() => take(cursor)}>Show more</Button></p>}
    </section>
  );
}
