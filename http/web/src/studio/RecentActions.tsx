/** What moderators did lately, newest first; the whole log is on their desk. */
import { Link } from "react-router";
import { fetchLog } from "../api/channels";
import { rulingWords } from "../mod/words";
import { usePolling } from "../pages/usePolling";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import { timeOfDay } from "../ui/time";

const EVERY_MS = 10_000;
const SHOWN = 20;

export function RecentActions({ channelId }: { channelId: string }) {
  const { value, error, ask } = usePolling((signal) => fetchLog(channelId, {}, signal), EVERY_MS);
  return (
    <section className="panel" aria-labelledby="actions" data-testid="recent-actions">
      <div className="panel-title"><h2 id="actions">Recent actions</h2><Link to={`/mod/${channelId}`} className="small">Whole log</Link></div>
      {value ? (
        value.rulings.length === 0 ? <p className="muted">Nothing had to be done so far.</p> : (
          <ol className="actions-list">
            {value.rulings.slice(0, SHOWN).map((ruling) => (
              <li key={ruling.id}><time dateTime={new Date(ruling.at).toISOString()}>{timeOfDay(ruling.at)}</time><span>{rulingWords(ruling)}{ruling.reason && <span className="muted"> · {ruling.reason}</span>}</span></li>
            ))}
          </ol>
        )
      ) : error ? (
        <div className="box-note" role="alert"><p>{error.message}</p><Button small icon="retry" onClick={ask}>Try again</Button></div>
      ) : <div className="stack" role="status" aria-label="Reading the log">{[80, 65, 72].map((width) => <Skeleton key={width} height={16} width={`${width}%`} />)}</div>}
    </section>
  );
}
