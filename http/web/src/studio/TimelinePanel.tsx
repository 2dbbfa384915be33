import { lazy, Suspense } from "react";
import type { StreamStatus } from "../api/types";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import { timeWords } from "./format";
import { useTimeline } from "./useTimeline";

const TimelineChart = lazy(() => import("./TimelineChart")); // brings the charting library with it

interface TimelineProps {
  streamId: string;
  status: StreamStatus;
  viewers: number;
  peak: number;
}

const MARKS_SHOWN = 4;

/** Viewers, chat, followers, moderation and bit rate since the stream began, and what happened when. */
export function TimelinePanel({ streamId, status, viewers, peak }: TimelineProps) {
  const { timeline, error, ask } = useTimeline(streamId);
  if (!timeline && error) {
    return <div className="box-note" role="alert"><p>{error.message}</p><Button small icon="retry" onClick={ask}>Try again</Button></div>;
  }
  if (!timeline) return <Waiting />;
  if (timeline.samples.length === 0) {
    return <p className="box-note muted" data-testid="timeline-empty">{status === "created" ? "The time line begins with your first picture." : "The first figures come within ten seconds."}</p>;
  }
  const most = Math.max(viewers, peak, ...timeline.samples.map((sample) => sample.peak));
  return (
    <>
      {error && <p className="timeline-late" role="status">These figures are not up to date: {error.message}</p>}
      <Suspense fallback={<Waiting />}><TimelineChart timeline={timeline} viewers={viewers} peak={most} /></Suspense>
      {timeline.marks.length > 0 && (
        <ol className="timeline-marks" aria-label="What happened, the newest first">
          {timeline.marks.slice(-MARKS_SHOWN).reverse().map((mark) => (
            <li key={`${mark.at}${mark.kind}`}><time dateTime={mark.at}>{timeWords(Date.parse(mark.at), 60)}</time>{mark.text}</li>
          ))}
        </ol>
      )}
    </>
  );
}

function Waiting() {
  return <div className="stack" role="status" aria-label="Reading the figures">{[116, 66, 54, 54, 66].map((height, index) => <Skeleton key={index} height={height} />)}</div>;
}
