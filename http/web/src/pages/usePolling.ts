/** Ask again every so often while the page is visible, at once when it is looked at again, and never twice at a time. */
import { useEffect } from "react";
import type { ApiError } from "../api/errors";
import { useQuestion } from "./useQuestion";

interface Polled<Value> {
  value: Value | null;
  /** Why the last question got no answer; the last good value stays. */
  error: ApiError | null;
  ask: () => void;
}

export function usePolling<Value>(question: (signal: AbortSignal) => Promise<Value>, everyMs: number, on = true): Polled<Value> {
  const { value, error, ask, stop } = useQuestion(question);

  useEffect(() => {
    if (!on) return;
    ask();
    return stop;
  }, [ask, stop, on]);

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
