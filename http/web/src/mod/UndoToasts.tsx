/** What was just done, and the ten seconds in which it can be taken back. The desk's one live region says it aloud. */
import { Button } from "../ui/Button";
import { useNow } from "../ui/useNow";
import { current, secondsLeft, type Undoable } from "./undo";

export function UndoToasts({ all, onUndo }: { all: readonly Undoable[]; onUndo: (one: Undoable) => void }) {
  useNow(250);
  // An action that is newer than the last tick must not have eleven seconds.
  const now = Date.now();
  const shown = current(all, now);
  if (shown.length === 0) return null;
  return (
    <div className="desk-toasts" role="group" aria-label="What can be undone">
      {shown.map((one, index) => (
        <div key={one.actionId} className={`toast ${one.state === "refused" ? "toast-problem" : ""}`} data-testid="undo-toast" data-state={one.state}>
          <span>{one.state === "refused" ? one.refusal : one.words}</span>
          {one.state !== "refused" && (
            <Button small look="quiet" busy={one.state === "undoing"} onClick={() => onUndo(one)} data-testid="undo">
              Undo {index === 0 && <kbd aria-hidden="true">U</kbd>} <span className="desk-seconds">{secondsLeft(one, now)} s</span>
            </Button>
          )}
        </div>
      ))}
    </div>
  );
}
