/** What a command or an action came to, in the server's words; with a way back while there is one. */
import { useEffect } from "react";
import { Button, IconButton } from "../ui/Button";
import { useCountdown, waitWords } from "./useCountdown";

export interface Happened {
  words: string;
  problem?: boolean;
  undo?: { actionId: string; until: number } | null;
}

const SHOWN_MS = 8000;

interface OutcomeProps {
  happened: Happened;
  onUndo: (actionId: string) => void;
  onClose: () => void;
}

export function Outcome({ happened: { words, problem, undo }, onUndo, onClose }: OutcomeProps) {
  const leftMs = useCountdown(undo?.until ?? null);
  const long = words.includes("\n");
  useEffect(() => {
    if (long) return;
    const timer = setTimeout(onClose, Math.max(SHOWN_MS, undo ? undo.until - Date.now() : 0));
    return () => clearTimeout(timer);
  }, [long, undo, onClose]);
  return (
    <div className={problem ? "outcome outcome-problem" : "outcome"} data-testid="outcome">
      <p role={problem ? "alert" : "status"} tabIndex={long ? 0 : undefined}>{words}</p>
      {undo && leftMs > 0 && <Button small onClick={() => onUndo(undo.actionId)}>Undo ({waitWords(leftMs)})</Button>}
      <IconButton icon="close" label="Dismiss" onClick={onClose} />
    </div>
  );
}
