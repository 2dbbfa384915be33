/** Ask again every so often while the page is visible, at once when it is looked at again, and never twice at a time. */
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, asApiError } from "../api/errors";

interface Polled<Value> {
  value: Value | null;
  /** Why the last question got no answer; the last good value stays. */
  error: ApiError | null;
  ask: () => void;
}

export function usePolling<Value>(question: (signal: AbortSignal) => Promise<Value>, everyMs: number, on = true): Polled<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const latest = useRef(question);
  latest.current = question;
  const running = useRef<AbortController | null>(null);

  const ask = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    latest.current(controller.signal).then(
      (answer) => {
        if (controller.signal.aborted) return;
        setValue(answer);
        setError(null);
      },
      (thrown: unknown) => {
        if (!controller.signal.aborted) setError(asApiError(thrown));
      },
    );
  }, []);

  useEffect(() => {
    if (!on) return;
    ask();
    return () => running.current?.abort();
  }, [ask, on]);

  useEffect(() => {
    if (!on) return;
    const whenVisible = () => {
      if (document.visibilityState === "visible") ask();
    };
    const timer = setInterval(whenVisible, everyMs);
    addEventListener("focus", whenVisible);
    addEventListener("online", whenVisible);
    document.addEventListener("visibilitychange", whenVisible);
    return () => {
      clearInterval(timer);
      removeEventListener("focus", whenVisible);
      removeEventListener("online", whenVisible);
      document.removeEventListener("visibilitychange", whenVisible);
    };
  }, [ask, everyMs, on]);

  return { value, error, ask };
}
