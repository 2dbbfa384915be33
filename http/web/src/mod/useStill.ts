/** The state of one list that holds still. */
import { useCallback, useMemo, useRef, useState, type RefObject } from "react";
import { live, select, shownOf, step, type Line, type Shown, type Still } from "./still";

export interface StillList<Item extends Line> {
  shown: Shown<Item>;
  selected: string | null;
  held: boolean;
  came: "last" | "first";
  /** The selected item as it is now; read at the moment a key goes down. */
  current: () => Item | null;
  pick: (id: string) => void;
  move: (by: -1 | 1) => void;
  toFirst: () => void;
  hold: () => void;
  goLive: () => void;
  listRef: RefObject<HTMLDivElement | null>;
}

export function useStill<Item extends Line>(items: readonly Item[], came: "last" | "first" = "last", known: readonly Item[] = items): StillList<Item> {
  const [still, setStill] = useState<Still<Item>>(live);
  const now = useRef({ still, items, known });
  now.current.items = items;
  now.current.known = known;
  const listRef = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => shownOf(still, items, came, known), [still, items, came, known]);

  const change = useCallback((next: (still: Still<Item>, items: readonly Item[]) => Still<Item>) => {
    // Kept beside the state, so that two keys in one frame act on two lines.
    now.current.still = next(now.current.still, now.current.items);
    setStill(now.current.still);
  }, []);
  const verbs = useMemo(
    () => ({
      current: () => {
        const { still: at, items: all, known: seen } = now.current;
        return shownOf(at, all, came, seen).items.find((item) => item.id === at.selected) ?? null;
      },
      pick: (id: string) => change((at, all) => select(at, all, id)),
      move: (by: -1 | 1) => change((at, all) => step(at, all, by, came)),
      toFirst: () =>
        change((at, all) => {
          const first = shownOf(at, all, came).items[0];
          return first ? select(at, all, first.id) : at;
        }),
      hold: () => change((at, all) => ({ selected: at.selected, kept: shownOf(at, all, came).items.slice() })),
      goLive: () => change(() => live),
    }),
    [change, came],
  );
  return { shown, selected: still.selected, held: still.kept !== null, came, listRef, ...verbs };
}
