/** Who is here: the broadcaster, then who keeps order, then everybody by name; guests are a number. Esc goes back. */
import { useCallback, useEffect, useRef, useState } from "react";
import { asApiError } from "../api/errors";
import type { Chatters } from "../realtime/events";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import { BADGES } from "./badges";
import { peopleWords, withPage, type People } from "./people";

interface PanelProps {
  whoIsHere: (after: string | null) => Promise<Chatters>;
  myId: string | null;
  onClose: () => void;
}

export function PeoplePanel({ whoIsHere, myId, onClose }: PanelProps) {
  const { people, busy, problem, more, again } = usePeople(whoIsHere);
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.focus(), []);
  return (
    <div ref={panel} className="people" tabIndex={0} role="region" aria-label="Who is here" aria-busy={busy} onKeyDown={(event) => event.key === "Escape" && onClose()} data-testid="people">
      {people && <h3 role="status" data-testid="people-count">{peopleWords(people)}</h3>}
      {people && people.total === 0 && <p className="people-note" data-testid="people-empty">Nobody here is signed in.</p>}
      {people && people.users.length > 0 && (
        <ul>
          {people.users.map((user) => (
            <li key={user.id} data-testid="person">
              <Avatar id={user.id} name={user.name} size={28} />
              <b>{user.name}{user.id === myId && " (you)"}</b>
              {BADGES[user.role] && <span className={`line-badge line-${user.role}`}>{BADGES[user.role]}</span>}
            </li>
          ))}
        </ul>
      )}
      {!people && busy && <PeopleSkeleton />}
      {problem && (
        <div className="people-note" role="alert"><p>{problem}</p><Button small icon="retry" onClick={again}>Try again</Button></div>
      )}
      {people?.next && !problem && (
        <div className="people-note"><Button small busy={busy} onClick={more} data-testid="people-more">Show more</Button></div>
      )}
    </div>
  );
}

function usePeople(whoIsHere: PanelProps["whoIsHere"]) {
  const [people, setPeople] = useState<People | null>(null);
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<string | null>(null);
  const wanted = useRef(0);

  const read = useCallback(
    (after: string | null) => {
      const number = ++wanted.current;
      setBusy(true);
      setProblem(null);
      whoIsHere(after)
        .then(
          (page) => number === wanted.current && setPeople((before) => withPage(after === null ? null : before, page)),
          (thrown: unknown) => number === wanted.current && setProblem(asApiError(thrown).message),
        )
        .finally(() => number === wanted.current && setBusy(false));
    },
    [whoIsHere],
  );
  useEffect(() => {
    read(null);
    return () => {
      wanted.current++;
    };
  }, [read]);
  const more = () => read(people?.next ?? null);
  return { people, busy, problem, more, again: more };
}

function PeopleSkeleton() {
  return (
    <div className="people-loading" role="status" aria-label="Reading who is here">
      {[50, 65, 40, 55].map((width) => <Skeleton key={width} height={24} width={`${width}%`} />)}
    </div>
  );
}
