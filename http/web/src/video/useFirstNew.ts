/** After "Show more" the focus goes to the first of what came: the button may be gone, and the rest is read on from there. */
import { useEffect, useRef } from "react";

export function useFirstNew(count: number) {
  const list = useRef<HTMLUListElement>(null);
  const from = useRef<number | null>(null);
  useEffect(() => {
    if (from.current === null || count <= from.current) return;
    list.current?.children[from.current]?.querySelector<HTMLElement>("h2 a, h3 a")?.focus();
    from.current = null;
  }, [count]);
  return { list, expectMore: () => { from.current = count; }, expectNone: () => { from.current = null; } };
}
