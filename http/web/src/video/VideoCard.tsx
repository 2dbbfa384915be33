/** One video in a list: its picture, what it is called, whose it is, and how far it was watched. */
import { useState } from "react";
import { Link } from "react-router";
import type { Piece, Video } from "../api/videos";
import { Avatar } from "../ui/Avatar";
import { Poster } from "../ui/Poster";
import { clock, duration, secondsSince, shortCount } from "../ui/time";
import "../pages/home.css";
import "./card.css";

interface CardProps {
  video: Video;
  /** Beside a player: a small picture with words to its right. */
  compact?: boolean;
  /** The title in pieces, those that were looked for marked. */
  title?: Piece[] | undefined;
  /** Of its heading: 3 below a section's own. */
  level?: 2 | 3;
  /** One more line, such as how far it was watched. */
  note?: string;
}

const BADGE = { public: null, unlisted: "Unlisted", premium: "Premium", private: "Private" } as const;

export function VideoCard({ video, compact = false, title, level = 2, note }: CardProps) {
  const Heading = level === 2 ? "h2" : "h3";
  const badge = BADGE[video.visibility];
  const views = `${shortCount(video.view_count)} ${video.view_count === 1 ? "view" : "views"}`;
  return (
    <article className={compact ? "card card-compact" : "card"} data-testid="video-card">
      <div className="card-picture">
        <Picture video={video} />
        {badge && <span className="card-badge">{badge}</span>}
        {video.metadata.duration > 0 && <span className="card-viewers"><span className="sr-only">Length </span>{clock(video.metadata.duration)}</span>}
        <Watched video={video} />
      </div>
      <div className="card-text">
        {!compact && <Avatar id={video.creator.id} name={video.creator.display_name} size={40} />}
        <div>
          <Heading><Link to={`/video/${video.id}`} className="card-link">{title ? <Marked pieces={title} /> : video.title}</Link></Heading>
          <p className="muted small"><Link to={`/creators/${video.creator.id}`} className="card-creator">{video.creator.display_name}</Link></p>
          <p className="muted small">{views} · {ago(video.published_at ?? video.created_at)}</p>
          {note && <p className="small card-note">{note}</p>}
        </div>
      </div>
    </article>
  );
}

/** The poster; without one, or when it does not come, a drawn one. */
function Picture({ video }: { video: Video }) {
  const source = video.metadata.thumbnails[0];
  const [broken, setBroken] = useState<string | null>(null);
  if (!source || broken === source) return <Poster id={video.id} name={video.creator.display_name} />;
  return <img src={source} alt="" loading="lazy" decoding="async" onError={() => setBroken(source)} />;
}

/** Text of which some was looked for. */
export function Marked({ pieces }: { pieces: Piece[] }) {
  return <>{pieces.map((piece, index) => (piece.match ? <mark key={index}>{piece.text}</mark> : piece.text))}</>;
}

function Watched({ video: { resume_seconds: seen = 0, metadata } }: { video: Video }) {
  if (!seen || !metadata.duration) return null;
  const part = Math.min(100, Math.round((seen / metadata.duration) * 100));
  return <span className="card-watched" role="img" aria-label={`${part} percent watched`}><span style={{ width: `${part}%` }} /></span>;
}

/** "just now", "5 min ago", "3 days ago", and after a month the date. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = secondsSince(iso, now);
  if (seconds < 60) return "just now";
  if (seconds > 30 * 86_400) return new Date(iso).toLocaleDateString([], { dateStyle: "medium" });
  const whole = seconds >= 86_400 ? duration(seconds) : seconds >= 3600 ? `${Math.floor(seconds / 3600)} h` : duration(seconds);
  return `${whole} ago`;
}
