/** What moderators do about a line: a button that opens a menu, arrows move in it, Esc closes it. */
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { asApiError } from "../api/errors";
import type { Acted, Me } from "../realtime/events";
import type { Said } from "../realtime/fold";
import type { Act } from "../realtime/useRoom";
import { Icon, type IconName } from "../ui/icons";
import { LineQuestion, type Question } from "./LineQuestion";
import { powersOver } from "./powers";
import "../ui/menu.css";

export interface LineMenuProps {
  line: Said;
  you: Me | null;
  act: Act;
  onActed: (acted: Acted) => void;
  onProblem: (words: string) => void;
  /** Told when it opens and closes, so that the list can stand still meanwhile. */
  onOpen?: (open: boolean) => void;
}

export function LineMenu(props: LineMenuProps) {
  const { line, onOpen } = props;
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const show = (on: boolean) => {
    setOpen(on);
    onOpen?.(on);
  };
  const close = () => {
    show(false);
    button.current?.focus({ preventScroll: true });
  };
  return (
    <>
      <button ref={button} type="button" className="line-tool" aria-label={`Moderate this message of ${line.user.name}`} title="Moderate" aria-haspopup="menu" aria-expanded={open} data-line-menu="" data-testid="line-menu" onClick={() => show(!open)}>
        <Icon name="shield" size={16} />
      </button>
      {open && <Sheet {...props} button={button.current} onClose={close} onGone={() => show(false)} />}
    </>
  );
}

interface SheetProps extends LineMenuProps {
  button: HTMLElement | null;
  /** Closed by what was done here; the focus goes back. */
  onClose: () => void;
  /** Closed by going elsewhere. */
  onGone: () => void;
}

function Sheet({ line, you, act, button, onActed, onProblem, onClose, onGone }: SheetProps) {
  const [question, setQuestion] = useState<Question | null>(null);
  const sheet = useRef<HTMLDivElement>(null);
  usePlace(sheet, button, question);
  useAway(sheet, button, onGone);
  const run = (work: Promise<Acted>) => {
    onClose();
    work.then(onActed, (thrown: unknown) => onProblem(asApiError(thrown).message));
  };
  const powers = powersOver(you, line);
  const target = { user_id: line.user.id };
  const message = { ...target, message_id: line.id };
  const items: [boolean, IconName, string, () => void][] = [
    [powers.pin, "pin", "Pin", () => run(act("mod:pin", message))],
    [powers.moderate, "trash", "Delete", () => run(act("mod:delete", message))],
    [powers.moderate, "clock", "Time out for 10 minutes", () => run(act("mod:timeout", { ...target, seconds: 600 }))],
    [powers.moderate, "clock", "Time out for …", () => setQuestion("timeout")],
    [powers.moderate, "warning", "Warn …", () => setQuestion("warn")],
    [powers.moderate, "ban", "Ban …", () => setQuestion("ban")],
    [powers.appoint, "user", line.user.role === "vip" ? "No VIP any more" : "Make VIP", () => run(act("mod:vip", { ...target, on: line.user.role !== "vip" }))],
    [powers.appoint, "shield", line.user.role === "moderator" ? "No moderator any more" : "Make moderator", () => run(act("mod:moderator", { ...target, on: line.user.role !== "moderator" }))],
  ];
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape") onClose();
    else if (event.key === "Tab" && !question) onGone();
    else if (question || !moveFocus(event.key, sheet.current)) return;
    if (event.key !== "Tab") event.preventDefault();
  };
  const label = `About this message of ${line.user.name}`;
  return (
    <div ref={sheet} className="menu line-sheet" role={question ? "dialog" : "menu"} aria-label={label} onKeyDown={onKeyDown}>
      <p className="menu-heading" aria-hidden="true">{line.user.name}</p>
      {question ? (
        <LineQuestion question={question} name={line.user.name} onBack={() => setQuestion(null)} onAnswer={({ reason, seconds }) => {
          if (question === "timeout") run(act("mod:timeout", { ...target, seconds, reason }));
          else run(act(question === "ban" ? "mod:ban" : "mod:warn", { ...target, reason }));
        }} />
      ) : (
        items.filter(([may]) => may).map(([, icon, words, onClick]) => (
          <button key={words} type="button" role="menuitem" className="menu-item" onClick={onClick}><Icon name={icon} size={18} />{words}</button>
        ))
      )}
    </div>
  );
}

/** Beside its button, inside the window; the list that scrolls under it does not cut it off. */
function usePlace(sheet: React.RefObject<HTMLDivElement | null>, button: HTMLElement | null, question: Question | null) {
  useLayoutEffect(() => {
    const menu = sheet.current;
    if (!menu || !button) return;
    const at = button.getBoundingClientRect();
    const below = at.bottom + 4 + menu.offsetHeight <= window.innerHeight;
    menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - menu.offsetHeight)}px`;
    menu.style.left = `${Math.max(8, Math.min(at.right - menu.offsetWidth, window.innerWidth - menu.offsetWidth - 8))}px`;
    menu.querySelector<HTMLElement>('[role="menuitem"], input, select')?.focus({ preventScroll: true });
  }, [sheet, button, question]);
}

function useAway(sheet: React.RefObject<HTMLDivElement | null>, button: HTMLElement | null, onGone: () => void) {
  const gone = useRef(onGone);
  gone.current = onGone;
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!sheet.current?.contains(target) && !button?.contains(target)) gone.current();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [sheet, button]);
}

function moveFocus(key: string, root: HTMLElement | null): boolean {
  const list = Array.from(root?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? []);
  const here = list.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1 + list.length, Home: 0, End: list.length - 1 }[key];
  if (to === undefined || list.length === 0) return false;
  list[to % list.length]?.focus();
  return true;
}
