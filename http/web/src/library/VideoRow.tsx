import { useState } from "react";
import { Link } from "react-router";
import { asApiError } from "../api/errors";
import { deleteVideo, retryVideo, type Video, type VideoMaking } from "../api/videos";
import { Button, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Icon } from "../ui/icons";
import { Poster } from "../ui/Poster";
import { clock, shortCount } from "../ui/time";
import { useToast } from "../ui/Toasts";
import { byteWords, leftWords } from "../upload/parts";
import { EditVideo } from "./EditVideo";

interface RowProps {
  video: Video;
  progress: VideoMaking | null;
  onChanged: (video: Video) => void;
  onGone: () => void;
}

const VISIBILITY = { public: "Public", unlisted: "Unlisted", premium: "Premium", private: "Private" } as const;

export function VideoRow({ video, progress, onChanged, onGone }: RowProps) {
  const poster = video.metadata.thumbnails[0];
  return (
    <li className="library-row" data-testid="library-row" data-status={video.status}>
      <Link to={`/video/${video.id}`} className="library-poster" tabIndex={-1} aria-hidden="true">
        {poster ? <img src={poster} alt="" loading="lazy" /> : <Poster id={video.id} name={video.title} />}
        {video.metadata.duration > 0 && <span className="card-viewers">{clock(video.metadata.duration)}</span>}
      </Link>
      <div className="library-words">
        <h2>{video.playable ? <Link to={`/video/${video.id}`} className="card-link-plain">{video.title}</Link> : video.title}</h2>
        <p className="small muted library-facts">
          <span className="tag">{VISIBILITY[video.visibility]}</span>
          <span>{new Date(video.created_at).toLocaleDateString([], { dateStyle: "medium" })}</span>
          {video.status === "ready" && <span>{video.view_count === 1 ? "1 view" : `${shortCount(video.view_count)} views`}</span>}
          {video.status === "ready" && <span>{video.like_count === 1 ? "1 like" : `${shortCount(video.like_count)} likes`}</span>}
          {video.metadata.file_size > 0 && <span>{byteWords(video.metadata.file_size)}</span>}
          {video.recording && <span>Recording of a stream</span>}
        </p>
        <Making video={video} progress={progress} onChanged={onChanged} />
      </div>
      <Deeds video={video} onChanged={onChanged} onGone={onGone} />
    </li>
  );
}

/** In words what becomes of it, while it is not simply there. */
function Making({ video, progress, onChanged }: { video: Video; progress: VideoMaking | null; onChanged: (video: Video) => void }) {
  if (video.status === "failed") return <Failed video={video} onChanged={onChanged} />;
  if (video.status !== "processing") return null;
  const percent = progress ? Math.floor(progress.done * 100) : null;
  return (
    <div className="library-making" data-testid="making">
      <progress max={100} {...(percent === null ? {} : { value: percent })} aria-label={`${video.title} is being made`} />
      <span className="small muted">{makingWords(video, progress)}</span>
    </div>
  );
}

const STAGES = { queued: "Waiting for a free transcoder", checking: "Looking at the file", encoding: "Encoding", finishing: "Finishing", done: "Done", failed: "Failed" } as const;

export function makingWords(video: Pick<Video, "playable">, progress: VideoMaking | null): string {
  if (!progress) return video.playable ? "Can be watched; better quality is being made" : "Being made ready";
  const parts: string[] = [STAGES[progress.stage]];
  if (progress.stage === "encoding") parts[0] += ` ${Math.floor(progress.done * 100)} %`;
  if (progress.eta_seconds !== null && progress.eta_seconds > 0) parts.push(leftWords(progress.eta_seconds));
  if (progress.playable) parts.push("can be watched already");
  if (progress.attempt > 1) parts.push(`attempt ${progress.attempt}`);
  return parts.join(" · ");
}

function Failed({ video, onChanged }: { video: Video; onChanged: (video: Video) => void }) {
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const again = () => {
    setBusy(true);
    retryVideo(video.id)
      .then(onChanged, (thrown: unknown) => toast(asApiError(thrown).message, "problem"))
      .finally(() => setBusy(false));
  };
  return (
    <div className="library-failed" data-testid="video-failed">
      <Icon name="warning" size={18} />
      <span>{video.failure?.message ?? "The video could not be made."}</span>
      {video.failure?.retryable && <Button small icon="retry" busy={busy} onClick={again} data-testid="retry-video">Try again</Button>}
    </div>
  );
}

function Deeds({ video, onChanged, onGone }: Omit<RowProps, "progress">) {
  const toast = useToast();
  const [editing, setEditing] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const [busy, setBusy] = useState(false);
  const remove = () => {
    setBusy(true);
    deleteVideo(video.id)
      .then(() => {
        toast(`“${video.title}” is deleted.`);
        onGone();
      }, (thrown: unknown) => toast(asApiError(thrown).message, "problem"))
      .finally(() => {
        setBusy(false);
        setDeleting(false);
      });
  };
  const copy = () => {
    navigator.clipboard.writeText(`${location.origin}/video/${video.id}`).then(() => toast("The link is copied."), () => toast("The link could not be copied.", "problem"));
  };
  return (
    <div className="row library-deeds">
      <Button small onClick={() => setEditing(true)} data-testid="edit-video">Edit</Button>
      <IconButton icon="share" label={`Copy the link of ${video.title}`} onClick={copy} />
      <IconButton icon="trash" label={`Delete ${video.title}`} onClick={() => setDeleting(true)} data-testid="delete-video" />
      <EditVideo video={video} open={editing} onClose={() => setEditing(false)} onChanged={onChanged} />
      <Confirm title="Delete this video?" open={deleting} onClose={() => setDeleting(false)} confirm="Delete for good" busy={busy} onConfirm={remove}>
        “{video.title}” goes with all its views and likes, and its link stops working. This cannot be undone.
      </Confirm>
    </div>
  );
}
