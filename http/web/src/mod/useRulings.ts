/** What was done here: the newest through the room, older ones in pages. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { fetchLog, type LogFilter } from "../api/channels";
import { asApiError } from "../api/errors";
import type { Ruling } from "../realtime/events";
import type { LiveRoom } from "../realtime/useRoom";
import { merged, passes } from "./rulings";

export interface Rulings {
  rulings: Ruling[];
  more: boolean;
  busy: boolean;
  problem: string | null;
  older: () => void;
  again: () => void;
}

/** Without a room nobody tells; then the newest page is asked for this often. */
const REFRESH_MS = 15_000;

export function useRulings(channelId: string, live: LiveRoom | null, filter: LogFilter): Rulings {
  const [known, setKnown] = useState<Ruling[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const wanted = JSON.stringify(filter);
  const asking = useRef(0);

  const read = useCallback(
    (from: string | null, fresh: boolean) => {
      const question = ++asking.current;
      setBusy(true);
      fetchLog(channelId, { ...(JSON.parse(wanted) as LogFilter), cursor: from })
        .then(
          (page) => {
            if (question !== asking.current) return;
            setKnown((before) => merged(fresh ? [] : before, page.rulings));
            setProblem(null);
            setCursor(page.next_cursor);
          },
          (thrown: unknown) => question === asking.current && setProblem(asApiError(thrown).message),
        )
        .finally(() => question === asking.current && setBusy(false));
    },
    [channelId, wanted],
  );
  const again = useCallback(() => read(null, true), [read]);
  const joined = live?.room.joined ?? false;
  useEffect(() => {
    again();
    if (joined) return;
    const timer = setInterval(() => document.visibilityState === "visible" && again(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [again, joined]);

  const onDesk = live?.onDesk;
  useEffect(
    () => onDesk?.((news) => news.event === "mod:acted" && setKnown((before) => merged(before, [news.body.ruling]))),
    [onDesk],
  );
  const rulings = useMemo(() => known.filter((ruling) => passes(ruling, JSON.parse(wanted) as LogFilter)), [known, wanted]);
  return { rulings, more: cursor !== null, busy, problem, older: () => read(cursor, false), again };
}
