/** The queue of held messages: read at the start and after each reconnect, then kept by what the room tells. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { fetchHeld } from "../api/channels";
import { asApiError } from "../api/errors";
import type { LiveRoom } from "../realtime/useRoom";
import { useNow } from "../ui/useNow";
import { asked, granted, heard, refused, reread, undecided, type HeldLine } from "./held";
import type { News } from "./speech";

export interface HeldQueue {
  lines: HeldLine[];
  /** Those that were decided too: they keep their place where one is looking at them. */
  all: HeldLine[];
  problem: string | null;
  now: number;
  again: () => void;
  /** Show it as decided at once; the promise says what the server thought of it. */
  decide: (id: string, fate: "approved" | "denied", done: Promise<unknown>) => Promise<void>;
}

export function useHeld(channelId: string, live: LiveRoom | null, tell: (news: News) => void): HeldQueue {
  const [all, setAll] = useState<HeldLine[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const now = useNow(1000);
  const joined = live?.room.joined ?? false;
  const onDesk = live?.onDesk;

  const again = useCallback(() => {
    fetchHeld(channelId).then(
      ({ held }) => {
        setAll((lines) => reread(lines, held));
        setProblem(null);
      },
      (thrown: unknown) => setProblem(asApiError(thrown).message),
    );
  }, [channelId]);
  useEffect(() => {
    if (joined) again();
  }, [again, joined]);
  useEffect(
    () =>
      onDesk?.((news) => {
        if (news.event !== "mod:held") return;
        setAll((lines) => heard(lines, news.body));
        if (news.body.change === "added") tell({ kind: "held" });
      }),
    [onDesk, tell],
  );
  const decide = useCallback(async (id: string, fate: "approved" | "denied", done: Promise<unknown>) => {
    setAll((lines) => asked(lines, id, fate));
    try {
      await done;
      setAll((lines) => granted(lines, id));
    } catch (thrown) {
      setAll((lines) => refused(lines, id, asApiError(thrown).message));
      throw thrown;
    }
  }, []);
  const lines = useMemo(() => undecided(all, now), [all, now]);
  return { lines, all, problem, now, again, decide };
}
