/** What was found, and how to find less or more. All of it stands in the address. */
import { useEffect, useId, useState } from "react";
import { useSearchParams } from "react-router";
import type { ApiError } from "../api/errors";
import type { SearchResult } from "../api/videos";
import { useTitle } from "../layout/useTitle";
import { Button } from "../ui/Button";
import { Message } from "../ui/Message";
import { CardsSkeleton } from "../video/CardsSkeleton";
import { useFirstNew } from "../video/useFirstNew";
import { Marked, VideoCard } from "../video/VideoCard";
import { AGES, categoriesOf, LENGTHS, narrowed, PRICES, read, SORTS, write, type Chosen } from "./filters";
import { useSearch } from "./useSearch";
import "../ui/field.css";
import "./search.css";

const MOST = 10_000;

export default function SearchPage() {
  const [params, setParams] = useSearchParams();
  const chosen = read(params);
  useTitle(chosen.q ? `${chosen.q} · Search` : "Search");
  useEffect(() => window.scrollTo(0, 0), [chosen.q]);
  const { found, error, busy, loadMore, again } = useSearch(chosen);
  const choose = (change: Partial<Chosen>) => setParams(write({ ...chosen, ...change }), { replace: true });
  const reset = () => {
    document.getElementById("main")?.focus({ preventScroll: true }); // the button goes away
    choose({ length: "any", age: "any", price: "any", category: "" });
  };
  return (
    <div className="page stack">
      <header className="search-head">
        <h1>{chosen.q ? <>Results for “{chosen.q}”</> : "All videos"}</h1>
        <p className="muted" role="status" data-testid="search-total">{found && busy !== "first" ? totalWords(found.total) : ""}</p>
      </header>
      <Filters chosen={chosen} met={found?.results ?? []} onChoose={choose} onReset={reset} />
      {!found && error && <Failed error={error} onAgain={again} />}
      {!found && !error && <CardsSkeleton label="Searching" />}
      {found?.results.length === 0 && <Nothing chosen={chosen} onReset={reset} />}
      {found && found.results.length > 0 && <Results results={found.results} waiting={busy === "first"} more={found.cursor !== null} busy={busy === "more"} error={error} onMore={loadMore} />}
    </div>
  );
}

const totalWords = (total: number) => {
  if (total >= MOST) return `Over ${MOST.toLocaleString("en")} videos`;
  return total === 1 ? "1 video" : `${total.toLocaleString("en")} videos`;
};

interface ResultsProps {
  results: SearchResult[];
  waiting: boolean;
  more: boolean;
  busy: boolean;
  error: ApiError | null;
  onMore: () => void;
}

function Results({ results, waiting, more, busy, error, onMore }: ResultsProps) {
  const { list, expectMore } = useFirstNew(results.length);
  return (
    <>
      <ul ref={list} className={waiting ? "cards search-busy" : "cards"} aria-busy={waiting} data-testid="search-results">
        {results.map(({ video, highlights }) => (
          <li key={video.id}>
            <VideoCard video={video} title={highlights.title} />
            {highlights.description && <p className="search-piece muted small">…<Marked pieces={highlights.description} />…</p>}
          </li>
        ))}
      </ul>
      {more && (
        <div className="home-more stack">
          {error && <p className="muted" role="alert">{error.message}</p>}
          <p><Button busy={busy} onClick={() => { expectMore(); onMore(); }}>{error ? "Try again" : "Show more"}</Button></p>
        </div>
      )}
    </>
  );
}

function Failed({ error, onAgain }: { error: ApiError; onAgain: () => void }) {
  const away = error.code === "service.search";
  return (
    <Message
      level={2} icon="offline" testId="search-error" title={away ? "Search does not answer just now" : "The search did not work"}
      action={<Button look="primary" icon="retry" onClick={onAgain}>Try again</Button>}
    >
      {away ? "Everything else works. Try again in a moment, or look through the newest videos on the first page." : error.message}
    </Message>
  );
}

function Nothing({ chosen, onReset }: { chosen: Chosen; onReset: () => void }) {
  const some = narrowed(chosen);
  return (
    <Message level={2} icon="search" title="Nothing found" testId="search-empty" action={some && <Button onClick={onReset}>Take the filters away</Button>}>
      {some ? "No video fits all of this. Take the filters away, or try other words." : "Try fewer or more general words. Small mistakes in spelling are understood."}
    </Message>
  );
}

interface FiltersProps {
  chosen: Chosen;
  met: SearchResult[];
  onChoose: (change: Partial<Chosen>) => void;
  onReset: () => void;
}

function Filters({ chosen, met, onChoose, onReset }: FiltersProps) {
  const categories = useCategories(met, chosen.category);
  const [open, setOpen] = useState(false);
  return (
    <div className={open ? "search-filters search-filters-open" : "search-filters"} role="group" aria-label="Filters">
      <Button className="search-unfold" icon="settings" aria-expanded={open} onClick={() => setOpen(!open)}>{narrowed(chosen) ? "Filters: some chosen" : "Filters and order"}</Button>
      <Choice label="Length" value={chosen.length} choices={LENGTHS} onChoose={(length) => onChoose({ length })} />
      <Choice label="Date" value={chosen.age} choices={AGES} onChoose={(age) => onChoose({ age })} />
      <Choice label="Category" value={chosen.category} choices={{ "": "All categories", ...Object.fromEntries(categories.map((name) => [name, name])) }} onChoose={(category) => onChoose({ category })} />
      <Choice label="Access" value={chosen.price} choices={PRICES} onChoose={(price) => onChoose({ price })} />
      <Choice label="Order" value={chosen.sort} choices={SORTS} onChoose={(sort) => onChoose({ sort })} />
      {narrowed(chosen) && <Button small look="quiet" icon="close" onClick={onReset}>Clear filters</Button>}
    </div>
  );
}

/** The categories of everything found since the page was opened: choosing one leaves the others to be chosen. */
function useCategories(met: SearchResult[], chosen: string): string[] {
  const [known, setKnown] = useState<string[]>([]);
  const now = categoriesOf(known, met.map(({ video }) => video.category), chosen);
  const joined = now.join("\n");
  useEffect(() => setKnown(now), [joined]);
  return now;
}

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
