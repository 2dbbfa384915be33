/** A list one picks from by keyboard or pointer, that never moves under the finger: see still.ts. */
import { useLayoutEffect, useRef, type ReactNode, type RefObject } from "react";
import { Icon } from "../ui/icons";
import type { Line, Shown } from "./still";

interface PickListProps<Item extends Line> {
  /** Unique on the page; the ids of the options begin with it. */
  id: string;
  label: string;
  shown: Shown<Item>;
  selected: string | null;
  /** True while the list is held, with or without a selected line. */
  held: boolean;
  came: "last" | "first";
  onSelect: (id: string) => void;
  onHold: () => void;
  onLive: () => void;
  option: (item: Item, selected: boolean) => ReactNode;
  optionClass?: (item: Item) => string;
  /** When there is nothing in it. */
  empty: ReactNode;
  listRef: RefObject<HTMLDivElement | null>;
}

const NEAR_EDGE_PX = 40;

export function PickList<Item extends Line>(props: PickListProps<Item>) {
  const { id, label, shown, selected, held, came, onSelect, onHold, onLive, option, optionClass, empty, listRef } = props;
  useEdge(listRef, held, came, shown.items);
  useSelectedStays(listRef, selected, shown.items);
  const pointing = useRef(false);

  const onScroll = () => {
    const list = listRef.current;
    if (!list || selected !== null) return;
    const away = came === "last" ? list.scrollHeight - list.scrollTop - list.clientHeight : list.scrollTop;
    if (away < NEAR_EDGE_PX) {
      if (held) onLive();
    } else if (!held && pointing.current) onHold();
  };
  const moved = () => {
    pointing.current = true;
  };
  return (
    <div className="desk-scroll">
      <div
        ref={listRef} className="desk-list" role="listbox" tabIndex={0} aria-label={label} data-testid={id} data-held={held}
        aria-activedescendant={selected === null ? undefined : optionId(id, selected)}
        onScroll={onScroll} onWheel={moved} onTouchMove={moved} onPointerDown={moved}
      >
        {shown.items.map((item) => (
          <div
            key={item.id} id={optionId(id, item.id)} role="option" aria-selected={item.id === selected} data-id={item.id}
            className={`desk-option ${optionClass?.(item) ?? ""}`} onClick={() => onSelect(item.id)}
          >
            {option(item, item.id === selected)}
          </div>
        ))}
      </div>
      {shown.items.length === 0 && <div className="desk-empty">{empty}</div>}
      {held && (
        <button type="button" className={`desk-new desk-new-${came}`} onClick={onLive} title="Back to live" data-testid={`${id}-live`}>
          <Icon name="down" size={16} />
          {shown.waiting > 0 ? `${shown.waiting} new` : "Live"} <kbd>End</kbd>
        </button>
      )}
    </div>
  );
}

export const optionId = (list: string, id: string) => `${list}-${id.replace(/[^A-Za-z0-9_-]/g, "_")}`;

/** While live one sees the newest. */
function useEdge(listRef: RefObject<HTMLDivElement | null>, held: boolean, came: "last" | "first", items: unknown) {
  useLayoutEffect(() => {
    const list = listRef.current;
    if (list && !held) list.scrollTop = came === "last" ? list.scrollHeight : 0;
  }, [listRef, held, came, items]);
}

/** What changes above the selected line (a message removed elsewhere) must not move it: the scroll takes up the difference. */
function useSelectedStays(listRef: RefObject<HTMLDivElement | null>, selected: string | null, items: unknown) {
  const before = useRef<{ id: string; top: number } | null>(null);
  useLayoutEffect(() => {
    const list = listRef.current;
    const line = selected === null ? null : list?.querySelector<HTMLElement>('[aria-selected="true"]');
    if (!list || !line || selected === null) {
      before.current = null;
      return;
    }
    const top = line.offsetTop;
    if (before.current?.id === selected) list.scrollTop += top - before.current.top;
    else line.scrollIntoView({ block: "nearest" });
    before.current = { id: selected, top };
  }, [listRef, selected, items]);
}
