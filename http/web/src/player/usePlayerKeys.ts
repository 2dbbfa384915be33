/** The player's keys: letters anywhere on the page but in a field, arrows only on the player (elsewhere they scroll). */
import { useEffect, useRef, type RefObject } from "react";

interface KeyActions {
  toggle: () => void;
  goLive: () => void;
  full: () => void;
  pip: () => void;
  help: () => void;
  mute: () => void;
  theatre: () => void;
  louder: (by: number) => void;
}

const STEP = 0.05;

export function usePlayerKeys(frame: RefObject<HTMLElement | null>, on: boolean, actions: KeyActions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    if (!on) return;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || busy(target, event.key)) return;
      const onPlayer = frame.current?.contains(target) ?? false;
      const action = actionFor(event.key, onPlayer, latest.current);
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [frame, on]);
}

/** Keys that already mean something where the focus is. */
function busy(target: HTMLElement, key: string): boolean {
  if (target.closest("dialog, [role=menu], textarea, select, [contenteditable], input:not([type=range])")) return true;
  if (target.matches("input[type=range]") && key.startsWith("Arrow")) return true;
  return key === " " && target.closest("button, a, summary, [role=log]") !== null;
}

function actionFor(key: string, onPlayer: boolean, actions: KeyActions): (() => void) | null {
  const anywhere: Record<string, () => void> = {
    " ": actions.toggle, k: actions.toggle, m: actions.mute, f: actions.full, t: actions.theatre, i: actions.pip, l: actions.goLive, "?": actions.help,
  };
  const here: Record<string, () => void> = { ArrowUp: () => actions.louder(STEP), ArrowDown: () => actions.louder(-STEP) };
  const name = key.length === 1 ? key.toLowerCase() : key;
  return anywhere[name] ?? (onPlayer ? here[name] : undefined) ?? null;
}
