/** The time line of a stream, asked for every ten seconds: the whole once, then what came since. */
import { useCallback, useRef, useState } from "react";
import { fetchTimeline } from "../api/calls";
import type { ApiError } from "../api/errors";
import type { StreamTimeline } from "../api/types";
import { usePolling } from "../pages/usePolling";
import { merged, since } from "./samples";

const EVERY_MS = 10_000;
const POINTS = 240;
const FINE_POINTS = 500;

export function useTimeline(streamId: string): { timeline: StreamTimeline | null; error: ApiError | null; ask: () => void } {
  const known = useRef<StreamTimeline | null>(null);
  const [timeline, setTimeline] = useState<StreamTimeline | null>(null);
  const question = useCallback(
    async (signal: AbortSignal) => {
      const from = since(known.current);
      const fresh = await fetchTimeline(streamId, { from, points: from ? FINE_POINTS : POINTS }, signal);
      known.current = merged(known.current, fresh, from);
      setTimeline(known.current);
      return null;
    },
    [streamId],
  );
  const { error, ask } = usePolling(question, EVERY_MS);
  return { timeline, error, ask };
}
