/** A button that opens a short menu: arrows move, Esc closes and gives the focus back. */
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import "./menu.css";

interface MenuProps {
  label: string;
  trigger: ReactNode;
  triggerClass?: string;
  /** Where the menu opens from its button. */
  side?: "below" | "above";
  children: (close: () => void) => ReactNode;
  testId?: string;
}

export function Menu({ label, trigger, triggerClass = "icon-button", side = "below", children, testId }: MenuProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  useEffect(() => {
    if (!open) return;
    items(root.current)[0]?.focus();
    const outside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    else if (!moveFocus(event.key, items(root.current))) return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  };

  return (
    <div className="menu-root" ref={root} onKeyDown={onKeyDown}>
      <button ref={button} type="button" className={triggerClass} aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined} onClick={() => setOpen(!open)} data-testid={testId}>
        {trigger}
      </button>
      {open && <div id={id} role="menu" aria-label={label} className={`menu menu-${side}`}>{children(close)}</div>}
    </div>
  );
}

const items = (root: HTMLElement | null) => Array.from(root?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? []);

function moveFocus(key: string, list: HTMLElement[]): boolean {
  const here = list.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1 + list.length, Home: 0, End: list.length - 1 }[key];
  if (to === undefined || list.length === 0) return false;
  list[to % list.length]?.focus();
  return true;
}
