import { useCallback, useEffect, useState } from "react";
import { asApiError } from "../api/errors";
import { fetchDeeds, type Deed } from "../api/paymentsAdmin";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import { useFresh } from "./FreshSignIn";
import { actionWords } from "./words";

/** What administrators did, the newest first. `news` grows when something was done. */
export function AuditLog({ news, onLookUp }: { news: number; onLookUp: (userId: string) => void }) {
  const log = useDeeds(news);
  return (
    <section className="panel earnings-panel" aria-labelledby="audit" aria-busy={log.busy} data-testid="audit">
      <h2 id="audit">What was done</h2>
      {log.problem && <div className="earnings-problem" role="alert"><p>{log.problem}</p><Button small icon="retry" busy={log.busy} onClick={log.retry}>Try again</Button></div>}
      {!log.deeds && !log.problem && <div role="status" aria-label="Reading the log"><Skeleton height={160} /></div>}
      {log.deeds && <DeedList deeds={log.deeds} onLookUp={onLookUp} />}
      {log.more && <div><Button busy={log.busy} onClick={log.loadMore} data-testid="more-deeds">Show more</Button></div>}
    </section>
  );
}

export function DeedList({ deeds, onLookUp }: { deeds: Deed[]; onLookUp?: (userId: string) => void }) {
  if (deeds.length === 0) return <p className="muted">Nothing was done so far.</p>;
  return <ol className="deeds">{deeds.map((deed) => <Line key={deed.id} deed={deed} onLookUp={onLookUp} />)}</ol>;
}

function Line({ deed, onLookUp }: { deed: Deed; onLookUp: ((userId: string) => void) | undefined }) {
  const { user_id, about, reason, before, after } = deed;
  const at = new Date(deed.at);
  return (
    <li data-testid="deed" data-action={deed.action}>
      <p><strong>{actionWords(deed)}</strong> <span className="muted small">{deed.actor_name}, <time dateTime={deed.at}>{at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}</time></span></p>
      {reason && <p className="small">“{reason}”</p>}
      <p className="row small">
        {about && <code className="desk-id">{about}</code>}
        {user_id && onLookUp && <button type="button" className="link" onClick={() => onLookUp(user_id)} aria-label={`Look up customer ${user_id}`}>{user_id}</button>}
      </p>
      {(before !== null || after !== null) && (
        <details className="deed-more small">
          <summary>What changed</summary>
          <pre className="command" tabIndex={0}>{JSON.stringify({ before, after }, null, 2)}</pre>
        </details>
      )}
    </li>
  );
}

function useDeeds(news: number) {
  const fresh = useFresh();
  const [deeds, setDeeds] = useState<Deed[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const take = useCallback((from: string | null, isGone: () => boolean = () => false) => {
    setBusy(true);
    fresh(() => fetchDeeds(from)).then(
      (page) => {
        if (isGone()) return;
        setDeeds((had) => (from ? [...(had ?? []), ...page.deeds] : page.deeds));
        setCursor(page.next_cursor);
        setProblem(null);
        setBusy(false);
      },
      (thrown: unknown) => {
        if (isGone()) return;
        setProblem(asApiError(thrown).message);
        setBusy(false);
      },
    );
  }, [fresh]);
  useEffect(() => {
    let gone = false;
    take(null, () => gone);
    return () => void (gone = true);
  }, [take, news]);
  return { deeds, problem, busy, more: cursor !== null, loadMore: () => take(cursor), retry: () => take(null) };
}
