import { useEffect, useState } from "react";
import { suggest } from "../api/videos";

export interface Suggestion {
  text: string;
  video_id: string | null;
}

const TYPING_MS = 120;
const NONE: Suggestion[] = [];

/** What one may mean, as one types; nothing while search is away: the field still searches. */
export function useSuggestions(text: string): Suggestion[] {
  const [found, setFound] = useState(NONE);
  const wanted = text.trim();
  useEffect(() => {
    if (!wanted) {
      setFound(NONE);
      return;
    }
    const left = new AbortController();
    const timer = setTimeout(() => {
      suggest(wanted, left.signal).then(
        ({ suggestions }) => setFound(suggestions),
        () => !left.signal.aborted && setFound(NONE),
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      left.abort();
    };
  }, [wanted]);
  return found;
}
