/** One live stream on the home page. On hover or focus it moves, muted, after a moment; on touch it stays a poster. */
import { lazy, Suspense, useRef, useState } from "react";
import { Link } from "react-router";
import type { Stream } from "../api/types";
import { Avatar } from "../ui/Avatar";
import { StatusBadge, ViewerCount } from "../ui/badges";
import { Poster } from "../ui/Poster";
import { duration, secondsSince } from "../ui/time";

const Preview = lazy(() => import("../player/Preview"));
/** Long enough that a pointer that crosses the page loads nothing. */
const HOVER_MS = 350;

export function StreamCard({ stream }: { stream: Stream }) {
  const [moving, setMoving] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const start = () => {
    const calm = matchMedia("(prefers-reduced-motion: reduce), (hover: none)").matches;
    if (calm || stream.status !== "live") return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setMoving(true), HOVER_MS);
  };
  const stop = () => {
    clearTimeout(timer.current);
    setMoving(false);
  };
  return (
    <article className="card" onMouseEnter={start} onMouseLeave={stop} onFocus={start} onBlur={stop} data-testid="stream-card">
      <div className="card-picture">
        <Poster id={stream.id} name={stream.creator.display_name} />
        {moving && <Suspense><Preview streamId={stream.id} /></Suspense>}
        <span className="card-status"><StatusBadge status={stream.status} /></span>
        <span className="card-viewers"><ViewerCount count={stream.viewers} /></span>
      </div>
      <div className="card-text">
        <Avatar id={stream.creator.id} name={stream.creator.display_name} size={40} />
        <div>
          <h2><Link to={`/watch/${stream.id}`} className="card-link">{stream.title}</Link></h2>
          <p className="muted">{stream.creator.display_name}</p>
          <p className="muted small">
            {stream.category && <span className="tag">{stream.category}</span>}
            <span>live for {duration(secondsSince(stream.started_at))}</span>
          </p>
        </div>
      </div>
    </article>
  );
}
