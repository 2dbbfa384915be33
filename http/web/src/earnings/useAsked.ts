/** One question of a page, asked anew when what it is about changes; the last answer stays until the next is there. */
import { useEffect } from "react";
import { useQuestion, type Answered } from "../pages/useQuestion";

export interface Asked<Value> extends Answered<Value> {
  ask: () => void;
}

/** `about`: with another one the question is another. It is asked again when the connection is back. */
export function useAsked<Value>(question: (signal: AbortSignal) => Promise<Value>, about: string): Asked<Value> {
  const { ask, stop, ...answered } = useQuestion(question);
  useEffect(() => {
    ask();
    addEventListener("online", ask);
    return () => {
      removeEventListener("online", ask);
      stop();
    };
  }, [ask, stop, about]);
  return { ...answered, ask };
}
