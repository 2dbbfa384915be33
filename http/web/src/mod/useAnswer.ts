/** Something asked of the server once, and again on demand; the last good answer stays while a new one is on its way. */
import { useCallback, useEffect, useState } from "react";
import { asApiError } from "../api/errors";

export interface Answered<Value> {
  value: Value | null;
  problem: string | null;
  again: () => void;
  /** What we know to be so since our own change. */
  set: (value: Value) => void;
}

/** `question` must be stable (useCallback); another one throws the old answer away. */
export function useAnswer<Value>(question: (signal: AbortSignal) => Promise<Value>): Answered<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    question(controller.signal).then(
      (answer) => {
        if (controller.signal.aborted) return;
        setValue(answer);
        setProblem(null);
      },
      (thrown: unknown) => !controller.signal.aborted && setProblem(asApiError(thrown).message),
    );
    return () => controller.abort();
  }, [question, asked]);
  const again = useCallback(() => setAsked((times) => times + 1), []);
  return { value, problem, again, set: setValue };
}

/** One thing at a time that can be refused; the refusal stands beside what caused it. */
export function useDoing() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const doing = useCallback((work: Promise<unknown>, then?: () => void) => {
    setBusy(true);
    setProblem(null);
    work.then(() => then?.(), (thrown: unknown) => setProblem(asApiError(thrown).message)).finally(() => setBusy(false));
  }, []);
  return { busy, problem, doing };
}

export interface Paged<Item> {
  items: Item[];
  more: boolean;
  busy: boolean;
  problem: string | null;
  older: () => void;
  again: () => void;
}

interface PageOf<Item> {
  items: Item[];
  next: string | null;
}

/** A list in pages; `question` must be stable, another one begins anew. */
export function usePages<Item>(question: (cursor: string | null, signal: AbortSignal) => Promise<PageOf<Item>>): Paged<Item> {
  const [items, setItems] = useState<Item[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [wanted, setWanted] = useState<{ from: string | null; time: number }>({ from: null, time: 0 });
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => setWanted({ from: null, time: 0 }), [question]);
  useEffect(() => {
    const controller = new AbortController();
    setBusy(true);
    question(wanted.from, controller.signal)
      .then(
        (page) => {
          if (controller.signal.aborted) return;
          setItems((before) => (wanted.from === null ? page.items : [...before, ...page.items]));
          setCursor(page.next);
          setProblem(null);
        },
        (thrown: unknown) => !controller.signal.aborted && setProblem(asApiError(thrown).message),
      )
      .finally(() => !controller.signal.aborted && setBusy(false));
    return () => controller.abort();
  }, [question, wanted]);
  const older = () => setWanted({ from: cursor, time: Date.now() });
  const again = () => setWanted({ from: null, time: Date.now() });
  return { items, more: cursor !== null, busy, problem, older, again };
}
