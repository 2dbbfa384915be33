/** What is on its way to storage, each with what one can do about it. */
import { useRef, useState, useSyncExternalStore } from "react";
import { useToast } from "../ui/Toasts";
import { asApiError } from "../api/errors";
import { Button, ButtonLink, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { byteWords, leftWords } from "../upload/parts";
import { pauseUpload, removeUpload, resumeLeft, resumeUpload, uploads, watchUploads, type QueuedUpload } from "../upload/queue";

export function UploadList() {
  const list = useSyncExternalStore(watchUploads, uploads);
  if (list.length === 0) return null;
  return (
    <section aria-labelledby="uploads-heading" className="stack">
      <h2 id="uploads-heading">Uploads</h2>
      <ul className="upload-list" data-testid="upload-list">{list.map((upload) => <Row key={upload.key} upload={upload} />)}</ul>
    </section>
  );
}

function Row({ upload }: { upload: QueuedUpload }) {
  const percent = upload.sizeBytes ? Math.floor((upload.sentBytes / upload.sizeBytes) * 100) : 0;
  const shown = !["failed", "done", "aborted"].includes(upload.state);
  return (
    <li className="upload" data-testid="upload" data-state={upload.state}>
      <div className="upload-words">
        <strong className="upload-name">{upload.title}</strong>
        <span className="small muted">{upload.name} · {byteWords(upload.sizeBytes)}</span>
        <span className="small upload-state" role={upload.problem ? "alert" : undefined}>{stateWords(upload, percent)}</span>
      </div>
      {shown && <progress max={100} value={upload.state === "opening" ? 0 : percent} aria-label={`${upload.name}: ${percent} percent sent`} />}
      <Deeds upload={upload} />
    </li>
  );
}

export function stateWords(upload: QueuedUpload, percent: number): string {
  switch (upload.state) {
    case "opening": return "Getting ready…";
    case "waiting": return "Waiting for its turn";
    case "left": return upload.problem ?? `${percent} % is there. Go on where it stopped.`;
    case "paused": return `Paused at ${percent} %`;
    case "offline": return upload.problem ?? "Waiting for the connection…";
    case "finishing": return "Checking what arrived…";
    case "done": return "Uploaded. It is being made ready below.";
    case "failed": return upload.problem ?? "It could not be uploaded.";
    case "aborted": return "Stopped";
    case "sending": {
      const speed = upload.bytesPerSecond;
      const left = speed ? leftWords((upload.sizeBytes - upload.sentBytes) / speed) : null;
      return [`${percent} %`, speed ? `${byteWords(Math.round(speed))}/s` : null, left].filter(Boolean).join(" · ");
    }
  }
}

function Deeds({ upload }: { upload: QueuedUpload }) {
  const { key, state, videoId } = upload;
  const going = state === "sending" || state === "offline" || state === "waiting";
  return (
    <div className="row upload-deeds">
      {going && <Button small onClick={() => pauseUpload(key)} data-testid="pause-upload">Pause</Button>}
      {(state === "paused" || (state === "failed" && !isHopeless(upload))) && <Button small onClick={() => resumeUpload(key)} data-testid="resume-upload">{state === "paused" ? "Resume" : "Try again"}</Button>}
      {state === "left" && <GoOn upload={upload} />}
      {state === "done" && videoId && <ButtonLink small to={`/video/${videoId}`}>Watch</ButtonLink>}
      <Remove upload={upload} />
    </div>
  );
}

const isHopeless = (upload: QueuedUpload) => upload.videoId === null && (upload.problem?.startsWith("This ") ?? false);

function GoOn({ upload }: { upload: QueuedUpload }) {
  const input = useRef<HTMLInputElement>(null);
  const go = async () => {
    if ((await resumeLeft(upload.key, null)) === "choose the file") input.current?.click();
  };
  return (
    <>
      <Button small look="primary" onClick={() => void go()} data-testid="go-on">Go on</Button>
      <input ref={input} type="file" hidden tabIndex={-1} aria-label={`Choose ${upload.name} again`} data-testid="same-file"
        onChange={(event) => {
          const [file] = Array.from(event.target.files ?? []);
          if (file) void resumeLeft(upload.key, file);
          event.target.value = "";
        }}
      />
    </>
  );
}

function Remove({ upload }: { upload: QueuedUpload }) {
  const toast = useToast();
  const [asked, setAsked] = useState(false);
  const isOver = upload.state === "done" || (upload.state === "failed" && upload.videoId === null);
  const remove = () => {
    setAsked(false);
    removeUpload(upload.key).catch((thrown: unknown) => toast(asApiError(thrown).message, "problem"));
  };
  return (
    <>
      <IconButton icon={isOver ? "close" : "trash"} label={isOver ? `Take ${upload.title} off this list` : `Stop and remove ${upload.title}`} onClick={() => (isOver ? remove() : setAsked(true))} data-testid="remove-upload" />
      <Confirm title="Stop this upload?" open={asked} onClose={() => setAsked(false)} confirm="Stop and remove" busy={false} onConfirm={remove}>
        What was sent of “{upload.title}” is thrown away. To go on later, pause it or just close the page.
      </Confirm>
    </>
  );
}
