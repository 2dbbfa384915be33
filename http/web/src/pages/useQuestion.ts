/** A question to the API that may be asked again: only the newest one counts, and the last answer stays until the next. */
import { useCallback, useRef, useState } from "react";
import { asApiError, type ApiError } from "../api/errors";

export interface Answered<Value> {
  value: Value | null;
  /** Why the newest question got no answer. */
  error: ApiError | null;
  busy: boolean;
}

interface Question<Value> extends Answered<Value> {
  ask: () => void;
  /** Nobody waits for an answer any more. */
  stop: () => void;
}

export function useQuestion<Value>(question: (signal: AbortSignal) => Promise<Value>): Question<Value> {
  const [state, setState] = useState<Answered<Value>>({ value: null, error: null, busy: true });
  const latest = useRef(question);
  latest.current = question;
  const running = useRef<AbortController | null>(null);
  const stop = useCallback(() => running.current?.abort(), []);

  const ask = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState((was) => ({ ...was, busy: true }));
    latest.current(controller.signal).then(
      (value) => !controller.signal.aborted && setState({ value, error: null, busy: false }),
      (thrown: unknown) => !controller.signal.aborted && setState((was) => ({ ...was, error: asApiError(thrown), busy: false })),
    );
  }, []);
  return { ...state, ask, stop };
}
