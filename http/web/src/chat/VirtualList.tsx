/**
 * A list of which only what is on the screen is laid out. It follows its end; held, it keeps the row at the top of the
 * screen where it is, whatever comes, goes or changes its height above or below.
 */
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type HTMLAttributes, type KeyboardEvent, type ReactNode, type Ref } from "react";
import { indexAt, rowAt, shownRows, type Anchor, type Placed, type Shown } from "./window";

/** Within this many pixels of the end one is reading the end. */
const NEAR_END_PX = 48;
const GUESSED_ROW_PX = 30;
const GUESSED_SCREEN_PX = 640;

export interface Row extends Placed {
  key: string;
}

export interface ListHandle {
  /** Bring a row onto the screen and give it the focus, when there is such a row. */
  focusRow: (order: number) => void;
}

interface ListProps<R extends Row> extends Omit<HTMLAttributes<HTMLDivElement>, "children"> {
  rows: R[];
  /** `height`: what the row measured so far, if it was on the page. */
  children: (row: R, height: number | undefined) => ReactNode;
  held: boolean;
  /** Scrolled up, or back to the end. */
  onHeld: (held: boolean) => void;
  handle?: Ref<ListHandle>;
}

/** Each child must be one element with `data-order`; the list is an `ol` inside the scrolling box. */
export function VirtualList<R extends Row>({ rows, children, held, onHeld, handle, ...attributes }: ListProps<R>) {
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const heights = useRef(new Map<string, number>());
  const anchor = useRef<Anchor | null>(null);
  const wanted = useRef<number | null>(null);
  const lastTop = useRef(0);
  const [, setTick] = useState(0);
  const again = useCallback(() => setTick((tick) => tick + 1), []);

  const sizes = rows.map((row) => heights.current.get(row.key) ?? GUESSED_ROW_PX);
  const screen = box.current?.clientHeight || GUESSED_SCREEN_PX;
  const from = held && anchor.current ? { index: indexAt(rows, anchor.current.order), offset: anchor.current.offset } : null;
  const shown = shownRows(sizes, screen, from);
  const latest = useRef({ rows, shown, held });
  latest.current = { rows, shown, held };

  /** Learn the heights, then stand where one should stand. */
  const settle = useCallback(() => {
    const scroll = box.current;
    if (!scroll || !list.current) return;
    const { rows: all, shown: laid, held: still } = latest.current;
    const grew = measure(list.current, all, laid, heights.current);
    if (!still) scroll.scrollTop = scroll.scrollHeight;
    else if (anchor.current) keepPlace(scroll, list.current, anchor.current);
    lastTop.current = scroll.scrollTop;
    if (wanted.current !== null && focusOn(scroll, list.current, wanted.current)) wanted.current = null;
    if (grew < scroll.clientHeight && laid.start > 0) again();
  }, [again]);

  useLayoutEffect(settle);
  useEffect(() => {
    if (!box.current || !list.current) return;
    const observer = new ResizeObserver(settle);
    observer.observe(box.current);
    observer.observe(list.current);
    return () => observer.disconnect();
  }, [settle]);

  const onScroll = () => {
    const scroll = box.current;
    if (!scroll) return;
    const up = scroll.scrollTop < lastTop.current - 1;
    lastTop.current = scroll.scrollTop;
    const nearEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
    const learned = rows.map((row) => heights.current.get(row.key) ?? GUESSED_ROW_PX);
    anchor.current = anchorOf(scroll, list.current!, rows, learned);
    if (nearEnd && !up && held) onHeld(false);
    else if (up && !nearEnd && !held) onHeld(true);
    else if (held) again();
  };

  // Held by something else than scrolling (a selected line): what is at the top now stays there.
  if (held && !anchor.current && box.current && list.current) anchor.current = anchorOf(box.current, list.current, rows, sizes);
  if (!held) anchor.current = null;

  useImperativeHandle(handle, () => ({
    focusRow: (order) => {
      wanted.current = order;
      const at = indexAt(latest.current.rows, order);
      if (at < latest.current.shown.start || at >= latest.current.shown.end) anchor.current = { order, offset: 8 };
      again();
    },
  }), [again]);

  /** A page at once: an animated one would be cut short by the place that is kept. */
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const page = { PageUp: -1, PageDown: 1 }[event.key];
    if (!page || !box.current) return attributes.onKeyDown?.(event);
    event.preventDefault();
    box.current.scrollTop += page * box.current.clientHeight * 0.9;
  };

  return (
    <div {...attributes} ref={box} onScroll={onScroll} onKeyDown={onKeyDown}>
      <ol ref={list} style={{ paddingTop: shown.before, paddingBottom: shown.after }}>
        {rows.slice(shown.start, shown.end).map((row) => children(row, heights.current.get(row.key)))}
      </ol>
    </div>
  );
}

/** Remember how high the rows on the page are; returns their height together. */
function measure(list: HTMLElement, rows: Row[], { start, end }: Shown, heights: Map<string, number>): number {
  let total = 0;
  for (let index = start; index < end; index += 1) {
    const child = list.children[index - start] as HTMLElement | undefined;
    if (!child) break;
    const height = child.offsetHeight;
    total += height;
    if (height) heights.set(rows[index]!.key, height);
  }
  if (heights.size > rows.length * 2 + 200) {
    const there = new Set(rows.map((row) => row.key));
    for (const key of heights.keys()) if (!there.has(key)) heights.delete(key);
  }
  return total;
}

const orderOf = (child: Element) => Number((child as HTMLElement).dataset["order"]);

/** The first row that is on the screen; one that is not laid out yet is found by what is known of the heights. */
function anchorOf(scroll: HTMLElement, list: HTMLElement, rows: Row[], sizes: number[]): Anchor | null {
  const top = scroll.scrollTop;
  const onPage = Array.from(list.children) as HTMLElement[];
  const first = onPage.find((child) => child.offsetTop + child.offsetHeight > top);
  const reaches = first && (first.offsetTop <= top || first === onPage[0]) && first.offsetTop < top + scroll.clientHeight;
  if (first && reaches) return { order: orderOf(first), offset: first.offsetTop - top };
  const { index, offset } = rowAt(sizes, top);
  const row = rows[index];
  return row ? { order: row.order, offset } : null;
}

function keepPlace(scroll: HTMLElement, list: HTMLElement, anchor: Anchor): void {
  const children = Array.from(list.children) as HTMLElement[];
  const child = children.findLast((one) => orderOf(one) <= anchor.order) ?? children[0];
  if (!child) return;
  const moved = child.offsetTop - scroll.scrollTop - anchor.offset;
  if (Math.abs(moved) >= 1) scroll.scrollTop += moved;
}

function focusOn(scroll: HTMLElement, list: HTMLElement, order: number): boolean {
  const child = (Array.from(list.children) as HTMLElement[]).find((one) => orderOf(one) === order);
  if (!child) return false;
  child.focus({ preventScroll: true });
  const above = child.offsetTop - scroll.scrollTop;
  const below = above + child.offsetHeight - scroll.clientHeight;
  if (above < 0) scroll.scrollTop += above;
  else if (below > 0) scroll.scrollTop += below;
  return true;
}
