/** The keys of a page with a recorded video: letters anywhere but in a field, arrows only on the player. */
import { useEffect, useRef, type RefObject } from "react";
import { deedOf, type Deed } from "./keys";

export function useVideoKeys(frame: RefObject<HTMLElement | null>, on: boolean, act: (deed: Deed) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!on) return;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || busy(target, event.key)) return;
      const deed = deedOf(event.key, frame.current?.contains(target) ?? false);
      if (!deed) return;
      event.preventDefault();
      latest.current(deed);
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
