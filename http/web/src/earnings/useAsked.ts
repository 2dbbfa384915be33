/** One question of a page, asked anew when what it is about changes; the last answer stays until the next is there. */
import { useCallback, useEffect, useRef, useState } from "react";
import { asApiError, type ApiError } from "../api/errors";

export interface Asked<Value> {
  value: Value | null;
  error: ApiError | null;
  busy: boolean;
  ask: () => void;
}

/** `about`: with another one the question is another. It is asked again when the connection is back. */
export function useAsked<Value>(question: (signal: AbortSignal) => Promise<Value>, about: string): Asked<Value> {
  const [state, setState] = useState<Omit<Asked<Value>, "ask">>({ value: null, error: null, busy: true });
  const latest = useRef(question);
  latest.current = question;
  const running = useRef<AbortController | null>(null);

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

  useEffect(() => {
    ask();
    addEventListener("online", ask);
    return () => {
      removeEventListener("online", ask);
      running.current?.abort();
    };
  }, [ask, about]);
  return { ...state, ask };
}
