import type { Pending } from "../realtime/room";
import { hueOf } from "../ui/identity";

interface PendingProps {
  message: Pending;
  onRetry: (id: string, text: string) => void;
  onForget: (id: string) => void;
}

/** A message of one's own that the room has not shown yet. The same id is used again, so it can never stand there twice. */
export function PendingLine({ message, onRetry, onForget }: PendingProps) {
  const { id, text, user, state, reason } = message;
  return (
    <li className={`line line-own line-${state}`} data-testid="chat-pending" data-state={state}>
      <b style={{ ["--hue" as string]: hueOf(user.id) }}>{user.name}</b>
      <span className="line-text">{text}</span>
      {state === "sending" && <span className="sr-only"> (sending)</span>}
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
