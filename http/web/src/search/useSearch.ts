/** One search and its pages. What was found stays until the next answer is there, so that nothing flickers as one narrows it. */
import { useEffect, useRef, useState } from "react";
import { asApiError, type ApiError } from "../api/errors";
import { searchVideos, type SearchResult, type SearchWanted } from "../api/videos";
import { wantedOf, write, type Chosen } from "./filters";

interface Found {
  results: SearchResult[];
  total: number;
  cursor: string | null;
}

export function useSearch(chosen: Chosen) {
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState<"first" | "more" | null>("first");
  const [turn, setTurn] = useState(0);
  // A cursor is good for the very same question only, and "the last 7 days" would be another one a moment later.
  const asked = useRef<{ wanted: SearchWanted; left: AbortController } | null>(null);
  const address = write(chosen).toString();

  const take = (question: { wanted: SearchWanted; left: AbortController }, had: Found | null) => {
    setBusy(had ? "more" : "first");
    setError(null);
    searchVideos({ ...question.wanted, cursor: had?.cursor ?? null }, question.left.signal).then(
      (page) => {
        if (question.left.signal.aborted) return;
        const known = new Set(had?.results.map(({ video }) => video.id));
        const results = [...(had?.results ?? []), ...page.results.filter(({ video }) => !known.has(video.id))];
        setFound({ results, total: page.total, cursor: page.next_cursor });
        setBusy(null);
      },
      (thrown: unknown) => {
        if (question.left.signal.aborted) return;
        if (!had) setFound(null);
        setError(asApiError(thrown));
        setBusy(null);
      },
    );
  };

  useEffect(() => {
    const question = { wanted: wantedOf(chosen, Date.now()), left: new AbortController() };
    asked.current = question;
    take(question, null);
    return () => question.left.abort();
  }, [address, turn]);

  return {
    found, error, busy,
    loadMore: () => { if (asked.current && found?.cursor && !busy) take(asked.current, found); },
    again: () => setTurn(turn + 1),
  };
}
