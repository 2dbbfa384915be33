/** A creator's videos: send new ones, see what becomes of them, change and remove them. */
import { useCallback, useEffect, useState } from "react";
import { Navigate } from "react-router";
import { myVideos, unfinishedUploads, type Quota, type Video, type VideoStatus } from "../api/videos";
import { asApiError, type ApiError } from "../api/errors";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { StudioTabs } from "../studio/StudioTabs";
import { Button } from "../ui/Button";
import { Message } from "../ui/Message";
import { PageSkeleton, Skeleton } from "../ui/Skeleton";
import { adopt, whenUploaded } from "../upload/queue";
import { DropZone } from "./DropZone";
import { QuotaLine } from "./QuotaLine";
import { UploadList } from "./UploadList";
import { VideoRow } from "./VideoRow";
import { useMaking } from "./useMaking";
import "./library.css";

const FILTERS: [VideoStatus | null, string][] = [[null, "All"], ["ready", "Ready"], ["processing", "Being made"], ["failed", "Failed"]];

export default function Library() {
  useTitle("Your videos");
  const { user } = useSession();
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: "/studio/videos" }} replace />;
  if (user.role !== "creator" && user.role !== "admin") return <Navigate to="/studio" replace />;
  return <Shelf />;
}

function Shelf() {
  const [filter, setFilter] = useState<VideoStatus | null>(null);
  const shelf = useShelf(filter);
  const quota = useUnfinished();
  const making = useMaking(shelf.reload);
  return (
    <div className="page library">
      <StudioTabs />
      <DropZone />
      <UploadList />
      <section aria-labelledby="library-heading" className="stack">
        <div className="library-head">
          <h1 id="library-heading">Your videos</h1>
          <div className="library-filters" role="group" aria-label="Show">
            {FILTERS.map(([status, words]) => (
              <button key={words} type="button" className="chip" aria-pressed={filter === status} onClick={() => setFilter(status)}>{words}</button>
            ))}
          </div>
          {quota && <QuotaLine quota={quota} />}
        </div>
        <Videos shelf={shelf} filter={filter} making={making} />
      </section>
    </div>
  );
}

type ShelfState = ReturnType<typeof useShelf>;

function Videos({ shelf, filter, making }: { shelf: ShelfState; filter: VideoStatus | null; making: ReturnType<typeof useMaking> }) {
  const { videos, error, more, loadMore, reload, replace } = shelf;
  if (!videos && error) {
    return <Message level={2} icon="offline" title="Your videos could not be loaded" action={<Button look="primary" icon="retry" onClick={reload}>Try again</Button>}>{error.message}</Message>;
  }
  if (!videos) return <div className="stack" role="status" aria-label="Loading">{[0, 1, 2].map((row) => <Skeleton key={row} height={96} />)}</div>;
  if (videos.length === 0) {
    return filter
      ? <Message level={2} icon="camera" title="None of these">No video of yours is in this state.</Message>
      : <Message level={2} icon="camera" title="No videos yet" testId="library-empty">Drop a file above, or go live with recording on: the recording comes here by itself.</Message>;
  }
  return (
    <>
      <ul className="library-list" data-testid="library-list">
        {videos.map((video) => <VideoRow key={video.id} video={video} progress={making.get(video.id) ?? null} onChanged={replace} onGone={reload} />)}
      </ul>
      {more && <div className="home-more"><Button onClick={loadMore}>Show more</Button></div>}
    </>
  );
}

function useShelf(filter: VideoStatus | null) {
  const [videos, setVideos] = useState<Video[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const reload = useCallback(() => {
    myVideos({ status: filter }).then(
      (page) => {
        setVideos(page.videos.filter((video) => video.status !== "uploading"));
        setCursor(page.next_cursor);
        setError(null);
      },
      (thrown: unknown) => setError(asApiError(thrown)),
    );
  }, [filter]);
  useEffect(() => {
    setVideos(null);
    reload();
    return whenUploaded(reload);
  }, [reload]);
  const loadMore = () => {
    if (!cursor) return;
    myVideos({ status: filter, cursor }).then(
      (page) => {
        setVideos((had) => [...(had ?? []), ...page.videos.filter((video) => video.status !== "uploading" && !had?.some((each) => each.id === video.id))]);
        setCursor(page.next_cursor);
      },
      (thrown: unknown) => setError(asApiError(thrown)),
    );
  };
  const replace = (video: Video) => setVideos((had) => had?.map((each) => (each.id === video.id ? video : each)) ?? null);
  return { videos, error, more: cursor !== null, loadMore, reload, replace };
}

/** What closed tabs left behind comes back into the list of uploads; and how much room there is. */
function useUnfinished(): Quota | null {
  const [quota, setQuota] = useState<Quota | null>(null);
  useEffect(() => {
    const ask = () => {
      unfinishedUploads().then(
        (answer) => {
          adopt(answer.uploads);
          setQuota(answer.quota);
        },
        () => undefined, // the list of videos says what is wrong; this is beside it
      );
    };
    ask();
    return whenUploaded(ask);
  }, []);
  return quota;
}
