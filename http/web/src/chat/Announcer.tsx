/** Chat for who listens: the newest line, at most one every five seconds. A busy room must not talk over the stream. */
import { useEffect, useRef, useState } from "react";
import { isSaid, type Line, type Said } from "../realtime/fold";

const EVERY_MS = 5000;

export function Announcer({ entries }: { entries: Line[] }) {
  const [spoken, setSpoken] = useState<Said | null>(null);
  const newest = useRef<Said | undefined>(undefined);
  const said = useRef<number | null>(null);
  newest.current = entries.findLast(isSaid);
  useEffect(() => {
    const timer = setInterval(() => {
      const entry = newest.current;
      if (!entry || entry.offset === said.current) return;
      // What was already there when one came in is read by moving into the list, not shouted.
      if (said.current !== null) setSpoken(entry);
      said.current = entry.offset;
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  // What is removed is not read out either.
  const there = spoken && entries.findLast((line) => isSaid(line) && line.id === spoken.id);
  return <p className="sr-only" aria-live="polite">{there ? `${spoken.user.name}: ${spoken.text}` : ""}</p>;
}
