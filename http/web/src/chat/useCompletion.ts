/** The choices for the word at the caret of a text field, and the keys that move in them. */
import { useState, type KeyboardEvent, type RefObject } from "react";
import { completionAt, writtenOut, type Completion, type Known, type Option, type Person } from "./completion";

export interface Offered {
  completion: Completion | null;
  /** Which of the options is chosen. */
  at: number;
  take: (option: Option) => void;
  /** Whether the key was for the choices. */
  onKey: (event: KeyboardEvent) => boolean;
  onCaret: () => void;
  close: () => void;
}

export function useCompletion(
  text: string,
  setText: (text: string) => void,
  field: RefObject<HTMLTextAreaElement | null>,
  known: Known,
  onPerson: (person: Person) => void,
): Offered {
  const [caret, setCaret] = useState(0);
  const [closedFor, setClosedFor] = useState<string | null>(null);
  const [chosen, setChosen] = useState(0);
  const found = closedFor === text ? null : completionAt(text, Math.min(caret, text.length), known);
  const at = found ? Math.min(chosen, found.options.length - 1) : 0;

  const take = (option: Option) => {
    if (!found) return;
    if (option.person) onPerson(option.person);
    const next = `${text.slice(0, found.from)}${option.insert}${text.slice(found.to).replace(/^ /, "")}`;
    const place = found.from + option.insert.length;
    setText(next);
    setClosedFor(next);
    setChosen(0);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(place, place);
    });
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (!found) return false;
    const { length } = found.options;
    const whole = event.key === "Enter" ? writtenOut(found, text.slice(found.from, found.to), at) : null;
    if (whole?.person) onPerson(whole.person);
    if (event.key === "ArrowDown") setChosen((at + 1) % length);
    else if (event.key === "ArrowUp") setChosen((at - 1 + length) % length);
    else if (event.key === "Tab" || (event.key === "Enter" && !whole)) take(found.options[at]!);
    else if (event.key === "Escape") setClosedFor(text);
    else return false;
    event.preventDefault();
    return true;
  };
  const onCaret = () => {
    setCaret(field.current?.selectionStart ?? 0);
    setChosen(0);
  };
  return { completion: found, at, take, onKey, onCaret, close: () => setClosedFor(text) };
}
