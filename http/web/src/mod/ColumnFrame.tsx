/** A column: its head with what arranges it, its content, and the edge one drags. */
import { useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/Menu";
import { COLUMN_TITLES, MAX_WIDTH, MIN_WIDTH, type Column } from "./layout";

interface ColumnFrameProps {
  column: Column;
  /** The channel's name. */
  of: string;
  first: boolean;
  last: boolean;
  hidden: boolean;
  /** The only one on the screen: nothing to arrange. */
  single: boolean;
  active: boolean;
  count: number;
  onActive: () => void;
  onArrange: (change: { move?: -1 | 1; show?: boolean; width?: number }) => void;
  children: ReactNode;
}

const STEP_PX = 24;

export function ColumnFrame({ column, of, first, last, hidden, single, active, count, onActive, onArrange, children }: ColumnFrameProps) {
  const { name, width } = column;
  const title = COLUMN_TITLES[name];
  const pick = (close: () => void, change: Parameters<typeof onArrange>[0]) => () => {
    close();
    onArrange(change);
  };
  return (
    <section
      className={active ? "desk-column desk-active" : "desk-column"} aria-label={`${title}, ${of}`} data-column={name} data-testid={`column-${name}`} hidden={hidden}
      style={single ? undefined : { flexBasis: width, minWidth: Math.max(MIN_WIDTH, width * 0.8) }} onFocusCapture={onActive} onPointerDownCapture={onActive}
    >
      <header className="desk-column-head">
        <h3>{title}{count > 0 && <span className="desk-count" aria-label={`${count} waiting`}>{count}</span>}</h3>
        {!single && (
          <Menu label={`Arrange ${title}`} trigger={<Icon name="settings" size={18} />}>
            {(close) => (
              <>
                {!first && <button type="button" role="menuitem" className="menu-item" onClick={pick(close, { move: -1 })}>Move to the left</button>}
                {!last && <button type="button" role="menuitem" className="menu-item" onClick={pick(close, { move: 1 })}>Move to the right</button>}
                <button type="button" role="menuitem" className="menu-item" onClick={pick(close, { width: width + 3 * STEP_PX })}>Wider</button>
                <button type="button" role="menuitem" className="menu-item" onClick={pick(close, { width: width - 3 * STEP_PX })}>Narrower</button>
                <button type="button" role="menuitem" className="menu-item" onClick={pick(close, { show: false })}>Hide</button>
              </>
            )}
          </Menu>
        )}
      </header>
      {children}
      {!single && <Edge title={title} width={width} onWidth={(to) => onArrange({ width: to })} />}
    </section>
  );
}

function Edge({ title, width, onWidth }: { title: string; width: number; onWidth: (width: number) => void }) {
  const from = useRef<{ x: number; width: number } | null>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: STEP_PX, ArrowLeft: -STEP_PX }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    onWidth(width + by);
  };
  const down = (event: PointerEvent<HTMLElement>) => {
    from.current = { x: event.clientX, width: event.currentTarget.parentElement?.offsetWidth ?? width };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    if (from.current) onWidth(from.current.width + event.clientX - from.current.x);
  };
  return (
    <div
      className="desk-edge" role="separator" aria-orientation="vertical" tabIndex={0} aria-label={`Width of ${title}`} aria-valuenow={width} aria-valuemin={MIN_WIDTH} aria-valuemax={MAX_WIDTH}
      onKeyDown={onKeyDown} onPointerDown={down} onPointerMove={move} onPointerUp={() => { from.current = null; }} onPointerCancel={() => { from.current = null; }}
    />
  );
}
