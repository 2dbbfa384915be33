/** Lies over its column without moving what is in it, at the end where the selected line is not. */
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";

export function Overlay({ children }: { children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [above, setAbove] = useState(false);
  useLayoutEffect(() => {
    const line = box.current?.closest("section")?.querySelector('[aria-selected="true"][role="option"]');
    if (!box.current || !line) return;
    const [own, selected] = [box.current.getBoundingClientRect(), line.getBoundingClientRect()];
    setAbove(selected.bottom > own.top && selected.top < own.bottom);
    // Measured once, where it opens: it must not jump either.
  }, []);
  return <div ref={box} className={above ? "desk-overlay desk-overlay-above" : "desk-overlay"}>{children}</div>;
}
