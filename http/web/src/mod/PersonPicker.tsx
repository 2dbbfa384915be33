/** Find somebody of this channel by name. */
import { useEffect, useId, useState } from "react";
import { findPeople } from "../api/channels";
import { asApiError } from "../api/errors";
import type { User } from "../realtime/events";
import { useChannel, type Somebody } from "./ChannelContext";

interface PersonPickerProps {
  label: string;
  /** What a press on a found name does, in words: "Ban", "Show". */
  verb?: string;
  onPick: (person: Somebody) => void;
}

const PAUSE_MS = 250;

export function PersonPicker({ label, verb, onPick }: PersonPickerProps) {
  const { id: channelId } = useChannel();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<User[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const id = useId();
  const wanted = typed.trim();
  useEffect(() => {
    setProblem(null);
    if (wanted.length < 1) {
      setFound(null);
      return;
    }
    const controller = new AbortController();
    const timer = setTimeout(() => {
      findPeople(channelId, wanted, controller.signal).then(
        ({ people }) => setFound(people),
        (thrown: unknown) => !controller.signal.aborted && setProblem(asApiError(thrown).message),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [channelId, wanted]);
  const pick = (person: User) => {
    onPick({ id: person.id, name: person.name });
    setTyped("");
    setFound(null);
  };
  return (
    <div className="desk-picker">
      <label htmlFor={id} className="desk-label">{label}</label>
      <input id={id} className="input" type="search" value={typed} autoComplete="off" placeholder="Name" onChange={(event) => setTyped(event.target.value)} />
      {problem && <p className="field-error" role="alert">{problem}</p>}
      {found && found.length === 0 && <p className="muted small">Nobody of that name.</p>}
      {found && found.length > 0 && (
        <ul>
          {found.map((person) => (
            <li key={person.id}><button type="button" className="desk-pick" onClick={() => pick(person)}>{verb && <span className="muted">{verb} </span>}{person.name}</button></li>
          ))}
        </ul>
      )}
    </div>
  );
}
