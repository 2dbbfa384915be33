/** What one watched, the latest first, and how far. */
import { useCallback, useEffect, useRef, useState } from "react";
import { Navigate } from "react-router";
import { asApiError, type ApiError } from "../api/errors";
import { fetchHistory, forgetHistory, type HistoryEntry } from "../api/videos";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Message } from "../ui/Message";
import { PageSkeleton } from "../ui/Skeleton";
import { clock } from "../ui/time";
import { useToast } from "../ui/Toasts";
import { VideoCard } from "../video/VideoCard";
import { byDay } from "./days";
import "./history.css";

export default function History() {
  useTitle("History");
  const { user } = useSession();
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: "/history" }} replace />;
  return <Watched key={user.id} />;
}

function Watched() {
  const { entries, remove, clear, more, busy, loadMore, error, ask } = useHistory();
  const { heading, said, forget } = useForgetting(remove, ask);
  if (!entries && error) return <Message icon="offline" title="Your history could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>{error.message}</Message>;
  if (!entries) return <PageSkeleton />;
  if (entries.length === 0 && !more) return <Message icon="clock" title="Nothing watched yet" action={<ButtonLink to="/" look="primary">Find something</ButtonLink>} testId="history-empty">What you watch comes here, so that you can go on where you stopped.</Message>;
  return (
    <div className="page history">
      <header className="home-heading"><h1 ref={heading} tabIndex={-1}>History</h1><ClearAll onCleared={clear} /></header>
      <p className="sr-only" role="status">{said}</p>
      {byDay(entries, ({ watched_at }) => watched_at).map(([day, watched]) => (
        <section key={day} aria-label={day} className="stack">
          <h2>{day}</h2>
          <ul className="history-list">
            {watched.map((entry) => <Entry key={entry.video.id} entry={entry} onForget={(pressed) => forget(entry, pressed)} />)}
          </ul>
        </section>
      ))}
      {error && <p className="row"><span className="muted" role="alert">{error.message}</span></p>}
      {more && <p className="home-more"><Button busy={busy} onClick={loadMore}>{error ? "Try again" : "Show more"}</Button></p>}
    </div>
  );
}

function Entry({ entry: { video, position_seconds, finished }, onForget }: { entry: HistoryEntry; onForget: (pressed: HTMLElement) => void }) {
  const seen = finished ? video.metadata.duration : position_seconds;
  return (
    <li data-testid="history-entry">
      <VideoCard video={{ ...video, resume_seconds: seen }} compact level={3} note={finished ? "Watched to the end" : `Stopped at ${clock(position_seconds)}`} />
      <IconButton icon="close" label={`Take ${video.title} out of your history`} className="history-forget" onClick={(event) => onForget(event.currentTarget)} />
    </li>
  );
}

/** Take one out at once; the focus goes on to the next one's button, or to the heading after the last. */
function useForgetting(remove: (videoId: string) => void, ask: () => void) {
  const toast = useToast();
  const heading = useRef<HTMLHeadingElement>(null);
  const [said, setSaid] = useState("");
  const forget = (entry: HistoryEntry, pressed: HTMLElement) => {
    const buttons = [...document.querySelectorAll<HTMLElement>(".history-forget")];
    const at = buttons.indexOf(pressed);
    (buttons[at + 1] ?? buttons[at - 1] ?? heading.current)?.focus();
    remove(entry.video.id);
    setSaid(`${entry.video.title} is taken out.`);
    forgetHistory(entry.video.id).catch((thrown: unknown) => {
      toast(asApiError(thrown).message, "problem");
      ask();
    });
  };
  return { heading, said, forget };
}

function ClearAll({ onCleared }: { onCleared: () => void }) {
  const toast = useToast();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const clear = () => {
    setBusy(true);
    forgetHistory()
      .then(
        () => {
          toast("Your history is empty.");
          onCleared();
        },
        (thrown: unknown) => {
          toast(asApiError(thrown).message, "problem");
          setOpen(false);
        },
      )
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Button small icon="trash" onClick={() => setOpen(true)} data-testid="clear-history">Clear all</Button>
      <Confirm title="Clear your history?" open={open} onClose={() => setOpen(false)} confirm="Clear all" cancel="Keep it" busy={busy} onConfirm={clear}>
        Videos no longer go on where you stopped. This cannot be undone.
      </Confirm>
    </>
  );
}

function useHistory() {
  const [entries, setEntries] = useState<HistoryEntry[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const take = useCallback((from: string | null, signal?: AbortSignal) => {
    setBusy(true);
    fetchHistory(from, signal).then(
      (page) => {
        if (signal?.aborted) return;
        setEntries((had) => {
          const kept = from ? (had ?? []) : [];
          return [...kept, ...page.entries.filter(({ video }) => !kept.some((each) => each.video.id === video.id))];
        });
        setCursor(page.next_cursor);
        setError(null);
        setBusy(false);
      },
      (thrown: unknown) => {
        if (signal?.aborted) return;
        setError(asApiError(thrown));
        setBusy(false);
      },
    );
  }, []);
  useEffect(() => {
    const left = new AbortController();
    take(null, left.signal);
    return () => left.abort();
  }, [take]);
  const ask = useCallback(() => take(null), [take]);
  const remove = (videoId: string) => setEntries((had) => had?.filter(({ video }) => video.id !== videoId) ?? null);
  const clear = () => {
    setEntries([]);
    setCursor(null);
  };
  return { entries, remove, clear, error, busy, ask, more: cursor !== null, loadMore: () => take(cursor) };
}
