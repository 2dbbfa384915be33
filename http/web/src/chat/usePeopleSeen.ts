/** Whom one has seen write here, for completing names: the newest first. */
import { useEffect, useRef, useState } from "react";
import { isSaid, type Line } from "../realtime/fold";
import type { Person } from "./completion";

const EVERY_MS = 2000;
const MOST = 1000;

/** The newest last writers of the lines, added to those known before. Pure. */
export function withWriters(known: readonly Person[], lines: readonly Line[]): Person[] {
  const seen = new Map<string, Person>();
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = lines[index]!;
    if (isSaid(line) && !seen.has(line.user.id)) seen.set(line.user.id, { id: line.user.id, name: line.user.name });
  }
  for (const person of known) if (!seen.has(person.id)) seen.set(person.id, person);
  return [...seen.values()].slice(0, MOST);
}

export function usePeopleSeen(lines: readonly Line[]): readonly Person[] {
  const [people, setPeople] = useState<readonly Person[]>([]);
  const latest = useRef(lines);
  latest.current = lines;
  const read = useRef<readonly Line[] | null>(null);
  useEffect(() => {
    const look = () => {
      if (latest.current === read.current) return;
      read.current = latest.current;
      setPeople((known) => withWriters(known, latest.current));
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return people;
}
