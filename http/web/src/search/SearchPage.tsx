/** What was found, and how to find less or more. All of it stands in the address. */
import { useEffect, useId, useState } from "react";
import { useSearchParams } from "react-router";
import { asApiError, type ApiError } from "../api/errors";
import { searchVideos, type SearchResult } from "../api/videos";
import { useTitle } from "../layout/useTitle";
import { Button } from "../ui/Button";
import { Message } from "../ui/Message";
import { Skeleton } from "../ui/Skeleton";
import { Marked, VideoCard } from "../video/VideoCard";
import { AGES, LENGTHS, PRICES, read, SORTS, wantedOf, write, type Chosen } from "./filters";
import "../ui/field.css";
import "./search.css";

const MOST = 10_000;

export default function SearchPage() {
  const [params, setParams] = useSearchParams();
  const chosen = read(params);
  useTitle(chosen.q ? `${chosen.q} · Search` : "Search");
  const { results, total, error, more, loadMore, again, busy } = useSearch(chosen);
  const choose = (change: Partial<Chosen>) => setParams(write({ ...chosen, ...change }), { replace: true });
  return (
    <div className="page stack">
      <header className="search-head">
        <h1>{chosen.q ? <>Results for “{chosen.q}”</> : "All videos"}</h1>
        <p className="muted" role="status" data-testid="search-total">{total === null ? "" : totalWords(total)}</p>
      </header>
      <div className="search-filters" role="group" aria-label="Filters">
        <Choice label="Length" value={chosen.length} choices={LENGTHS} onChoose={(length) => choose({ length })} />
        <Choice label="Date" value={chosen.age} choices={AGES} onChoose={(age) => choose({ age })} />
        <Choice label="Access" value={chosen.price} choices={PRICES} onChoose={(price) => choose({ price })} />
        <Choice label="Order" value={chosen.sort} choices={SORTS} onChoose={(sort) => choose({ sort })} />
        {chosen.category && <button type="button" className="chip" aria-pressed onClick={() => choose({ category: "" })}>{chosen.category} ×</button>}
      </div>
      {error && !results ? (
        <Message level={2} icon="offline" title="Search does not answer just now" action={<Button look="primary" icon="retry" onClick={again}>Try again</Button>} testId="search-error">{error.message}</Message>
      ) : !results ? (
        <div className="cards" role="status" aria-label="Searching">{[0, 1, 2, 3].map((each) => <div key={each} className="card-skeleton"><div className="skeleton" /><Skeleton height={18} width="80%" /></div>)}</div>
      ) : results.length === 0 ? (
        <Message level={2} icon="search" title="Nothing found" testId="search-empty">Try fewer or other words, or take a filter away. Misspelt words are understood, wrong ones are not.</Message>
      ) : (
        <>
          <ul className="cards" data-testid="search-results">
            {results.map(({ video, highlights }) => (
              <li key={video.id}>
                <VideoCard video={video} title={highlights.title} />
                {highlights.description && <p className="search-piece muted small">…<Marked pieces={highlights.description} />…</p>}
              </li>
            ))}
          </ul>
          {more && <p className="home-more"><Button busy={busy} onClick={loadMore}>Show more</Button></p>}
        </>
      )}
    </div>
  );
}

const totalWords = (total: number) => (total >= MOST ? `Over ${MOST.toLocaleString("en")} videos` : total === 1 ? "1 video" : `${total.toLocaleString("en")} videos`);

interface ChoiceProps<Key extends string> {
  label: string;
  value: Key;
  choices: Record<Key, string>;
  onChoose: (key: Key) => void;
}

function Choice<Key extends string>({ label, value, choices, onChoose }: ChoiceProps<Key>) {
  const id = useId();
  return (
    <div className="search-choice">
      <label htmlFor={id} className="small muted">{label}</label>
      <select id={id} className="input" value={value} onChange={(event) => onChoose(event.target.value as Key)}>
        {(Object.entries(choices) as [Key, string][]).map(([key, words]) => <option key={key} value={key}>{words}</option>)}
      </select>
    </div>
  );
}

function useSearch(chosen: Chosen) {
  const [results, setResults] = useState<SearchResult[] | null>(null);
  const [total, setTotal] = useState<number | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [turn, setTurn] = useState(0);
  const asked = write(chosen).toString();
  useEffect(() => {
    const left = new AbortController();
    setError(null);
    setResults(null);
    searchVideos(wantedOf(chosen, Date.now()), left.signal).then(
      (page) => {
        setResults(page.results);
        setTotal(page.total);
        setCursor(page.next_cursor);
      },
      (thrown: unknown) => {
        if (left.signal.aborted) return;
        setTotal(null);
        setError(asApiError(thrown));
      },
    );
    return () => left.abort();
  }, [asked, turn]);
  const loadMore = () => {
    setBusy(true);
    searchVideos({ ...wantedOf(chosen, Date.now()), cursor }).then(
      (page) => {
        setResults((had) => [...(had ?? []), ...page.results.filter((each) => !had?.some((known) => known.video.id === each.video.id))]);
        setCursor(page.next_cursor);
      },
      (thrown: unknown) => setError(asApiError(thrown)),
    ).finally(() => setBusy(false));
  };
  return { results, total, error, busy, more: cursor !== null, loadMore, again: () => setTurn(turn + 1) };
}
