import { useEffect, useState } from "react";
import type { Pending, PendingState } from "../realtime/room";
import { hueOf } from "../ui/identity";

interface PendingProps {
  message: Pending;
  order: number;
  onRetry: (id: string, text: string) => void;
  onForget: (id: string) => void;
}

/** A held message that nobody looked at for so long is let go by the room. */
const HELD_FOR_MS = 300_000;

const WORDS: Partial<Record<PendingState, string>> = {
  held: "Waiting for a moderator",
  approved: "A moderator let it through",
  denied: "A moderator did not let it through",
  expired: "No moderator looked at it in time",
};

/** A message of one's own that the room has not shown yet. The same id is used again, so it can never stand there twice. */
export function PendingLine({ message, order, onRetry, onForget }: PendingProps) {
  const { id, text, user, reason } = message;
  const state = useHeldState(message);
  const words = WORDS[state];
  const over = state === "denied" || state === "expired";
  return (
    <li className={`line line-own pending-${state}`} data-order={order} data-testid="chat-pending" data-state={state}>
      <b style={{ ["--hue" as string]: hueOf(user.id) }}>{user.name}</b>
      <span className="line-text">{text}</span>
      {state === "sending" && <span className="sr-only"> (sending)</span>}
      {words && (
        <span className="line-held" role="status">
          {words}{reason ? `: ${reason}` : ""}
          {over && <button type="button" onClick={() => onForget(id)}>Dismiss</button>}
        </span>
      )}
      {state === "failed" && (
        <span className="line-failed">
          {reason}
          <button type="button" onClick={() => onRetry(id, text)}>Send again</button>
          <button type="button" onClick={() => onForget(id)}>Drop it</button>
        </span>
      )}
    </li>
  );
}

/** What becomes of a held message may be told while one is away; that its time is over needs no telling. */
function useHeldState({ state, at }: Pending): PendingState {
  const [over, setOver] = useState(false);
  useEffect(() => {
    setOver(false);
    if (state !== "held") return;
    const timer = setTimeout(() => setOver(true), Math.max(0, at + HELD_FOR_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [state, at]);
  return over ? "expired" : state;
}
