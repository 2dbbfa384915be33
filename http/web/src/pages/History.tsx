/** What one watched, the latest first, and how far. */
import { useCallback, useEffect, useState } from "react";
import { Navigate } from "react-router";
import { asApiError, type ApiError } from "../api/errors";
import { fetchHistory, forgetHistory, type HistoryEntry } from "../api/videos";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Message } from "../ui/Message";
import { PageSkeleton } from "../ui/Skeleton";
import { useToast } from "../ui/Toasts";
import { VideoCard } from "../video/VideoCard";
import "./history.css";

export default function History() {
  useTitle("History");
  const { user } = useSession();
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: "/history" }} replace />;
  return <Watched />;
}

function Watched() {
  const toast = useToast();
  const { entries, setEntries, more, loadMore, error, ask } = useHistory();
  const [clearing, setClearing] = useState(false);
  const [busy, setBusy] = useState(false);
  const forget = (entry: HistoryEntry) => {
    setEntries((had) => had?.filter((each) => each !== entry) ?? null);
    forgetHistory(entry.video.id).catch((thrown: unknown) => {
      toast(asApiError(thrown).message, "problem");
      ask();
    });
  };
  const clear = () => {
    setBusy(true);
    forgetHistory()
      .then(() => setEntries([]), (thrown: unknown) => toast(asApiError(thrown).message, "problem"))
      .finally(() => {
        setBusy(false);
        setClearing(false);
      });
  };
  if (!entries && error) return <Message icon="offline" title="Your history could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>{error.message}</Message>;
  if (!entries) return <PageSkeleton />;
  if (entries.length === 0) return <Message icon="clock" title="Nothing watched yet" action={<ButtonLink to="/" look="primary">Find something</ButtonLink>} testId="history-empty">What you watch comes here, so that you can go on where you stopped.</Message>;
  return (
    <div className="page history">
      <header className="home-heading"><h1>History</h1><Button small onClick={() => setClearing(true)} data-testid="clear-history">Clear all</Button></header>
      {byDay(entries).map(([day, watched]) => (
        <section key={day} aria-label={day} className="stack">
          <h2>{day}</h2>
          <ul className="history-list">
            {watched.map((entry) => (
              <li key={entry.video.id} data-testid="history-entry">
                <VideoCard video={{ ...entry.video, resume_seconds: entry.position_seconds }} compact />
                <IconButton icon="close" label={`Take ${entry.video.title} out of your history`} onClick={() => forget(entry)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {more && <p className="home-more"><Button onClick={loadMore}>Show more</Button></p>}
      <Confirm title="Clear your history?" open={clearing} onClose={() => setClearing(false)} confirm="Clear all" busy={busy} onConfirm={clear}>
        Videos no longer go on where you stopped. This cannot be undone.
      </Confirm>
    </div>
  );
}

function useHistory() {
  const [entries, setEntries] = useState<HistoryEntry[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const take = useCallback((from: string | null) => {
    fetchHistory(from).then(
      (page) => {
        setEntries((had) => [...(from ? (had ?? []) : []), ...page.entries]);
        setCursor(page.next_cursor);
        setError(null);
      },
      (thrown: unknown) => setError(asApiError(thrown)),
    );
  }, []);
  const ask = useCallback(() => take(null), [take]);
  useEffect(ask, [ask]);
  return { entries, setEntries, error, ask, more: cursor !== null, loadMore: () => take(cursor) };
}

function byDay(entries: HistoryEntry[]): [string, HistoryEntry[]][] {
  const days = new Map<string, HistoryEntry[]>();
  for (const entry of entries) {
    const day = new Date(entry.watched_at).toLocaleDateString([], { dateStyle: "full" });
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days];
}
