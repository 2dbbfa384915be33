/** The boxes of the control panel where the creator put them. They move only while "Arrange" is on: by dragging, by buttons, by keys. */
import { useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode, type Ref } from "react";
import { Button, IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { BOX_TITLES, firstArrangement, heighten, hide, move, placeInWords, put, rowsOf, show, shown, storeArrangement, storedArrangement, widen, type Arrangement, type Box, type Direction } from "./arrange";

const ONE_COLUMN = "(max-width: 1100px)";
const ARROWS: Record<string, Direction> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

interface BoxesProps {
  boxes: Record<Box, ReactNode>;
  arranging: boolean;
  onDone: () => void;
}

export function Boxes({ boxes, arranging, onDone }: BoxesProps) {
  const [arrangement, setArrangement] = useState(storedArrangement);
  const [said, setSaid] = useState("");
  const [target, setTarget] = useState<Target | null>(null);
  const oneColumn = useMatches(ONE_COLUMN);
  const grid = useRef<HTMLDivElement>(null);
  usePlayingOn(grid, arrangement);

  const change = (next: Arrangement, box: Box, words = placeInWords(next, box)) => {
    setSaid(next === arrangement ? `${BOX_TITLES[box]} cannot go further` : words);
    if (next === arrangement) return;
    setArrangement(next);
    storeArrangement(next);
  };
  const act = (box: Box, deed: Deed) => {
    if (deed === "hide") change(hide(arrangement, box), box);
    else if (deed === "taller" || deed === "lower") change(heighten(arrangement, box, deed === "taller" ? 1 : -1), box, `${BOX_TITLES[box]}: ${deed}`);
    else if (deed === "wider" || deed === "narrower") change(widen(arrangement, box, deed === "wider" ? 1 : -1), box, `The column of ${BOX_TITLES[box]}: ${deed}`);
    else change(move(arrangement, box, deed, oneColumn), box);
  };
  const drop = (box: Box, place: Target | null) => {
    setTarget(null);
    if (place) change(put(arrangement, box, place.column, place.index), box);
  };
  const reset = () => {
    setArrangement(firstArrangement);
    storeArrangement(firstArrangement);
    setSaid("Everything is where it was at first");
  };

  const columns = { "--columns": arrangement.widths.map((width) => `minmax(0, ${width}fr)`).join(" ") } as CSSProperties;
  return (
    <>
      {arranging && <Tools hidden={arrangement.hidden} onShow={(box) => change(show(arrangement, box), box)} onReset={reset} onDone={onDone} />}
      <p className="sr-only" role="status" data-testid="arrange-said">{said}</p>
      <div ref={grid} className={`boxes ${arranging ? "boxes-arranging" : ""}`} style={columns} data-testid="boxes">
        {shown(arrangement).map((box) => (
          <Frame key={box} box={box} arrangement={arrangement} arranging={arranging} oneColumn={oneColumn} target={target} onAct={act} onAim={setTarget} onDrop={drop}>{boxes[box]}</Frame>
        ))}
      </div>
    </>
  );
}

type Deed = Direction | "taller" | "lower" | "wider" | "narrower" | "hide";

/** Where a dragged box would go: before the one at this place. */
interface Target {
  column: number;
  index: number;
  box: Box;
  after: boolean;
}

interface FrameProps {
  box: Box;
  arrangement: Arrangement;
  arranging: boolean;
  oneColumn: boolean;
  target: Target | null;
  onAct: (box: Box, deed: Deed) => void;
  onAim: (target: Target | null) => void;
  onDrop: (box: Box, target: Target | null) => void;
  children: ReactNode;
}

function Frame({ box, arrangement, arranging, oneColumn, target, onAct, onAim, onDrop, children }: FrameProps) {
  const rows = rowsOf(arrangement, box)!;
  const place = { gridColumn: rows.column, gridRow: `${rows.start} / span ${rows.span}` };
  const inside = useRef<HTMLDivElement>(null);
  useScrollByKeyboard(inside);
  const aimed = target?.box === box ? (target.after ? "box-after" : "box-before") : "";
  return (
    <div className={`box box-${box} ${aimed}`} style={oneColumn ? undefined : place} data-box={box} data-column={rows.column - 1}>
      {arranging && <Bar box={box} oneColumn={oneColumn} arrangement={arrangement} onAct={onAct} onAim={onAim} onDrop={onDrop} />}
      <div ref={inside} className="box-inside" inert={arranging}>{children}</div>
    </div>
  );
}

type BarProps = Pick<FrameProps, "box" | "oneColumn" | "arrangement" | "onAct" | "onAim" | "onDrop">;

function Bar({ box, oneColumn, arrangement, onAct, onAim, onDrop }: BarProps) {
  const aim = useRef<Target | null>(null);
  const handle = useRef<HTMLButtonElement>(null);
  const title = BOX_TITLES[box];
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = ARROWS[event.key];
    const deed: Deed | null = direction && event.shiftKey ? RESIZES[direction] : (direction ?? (event.key === "Delete" ? "hide" : null));
    if (!deed) return;
    event.preventDefault();
    onAct(box, deed);
    // React moves the node of the box; the focus stays with who moves it.
    requestAnimationFrame(() => handle.current?.focus({ preventScroll: true }));
  };
  const follow = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    aim.current = targetAt(event.clientX, event.clientY, box, arrangement);
    onAim(aim.current);
  };
  const end = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    event.currentTarget.releasePointerCapture(event.pointerId);
    onDrop(box, event.type === "pointerup" ? aim.current : null);
    aim.current = null;
  };
  return (
    <div className="box-bar" role="group" aria-label={`Arrange: ${title}`}>
      <button
        ref={handle} type="button" className="box-handle" data-testid={`handle-${box}`} aria-label={`Move ${title}: arrow keys; with Shift to resize; Delete to hide`} onKeyDown={onKeyDown}
        onPointerDown={(event) => event.button === 0 && event.currentTarget.setPointerCapture(event.pointerId)} onPointerMove={follow} onPointerUp={end} onPointerCancel={end}
      >
        <span aria-hidden="true" className="box-grip">⠿</span>{title}
      </button>
      {DEEDS.filter(({ deed }) => !oneColumn || deed === "up" || deed === "down" || deed === "hide").map(({ deed, words, sign }) => (
        <button key={deed} type="button" className="box-deed" aria-label={`${words}: ${title}`} title={words} onClick={() => onAct(box, deed)} data-testid={`${deed}-${box}`}>{sign}</button>
      ))}
      <IconButton icon="hidden" label={`Hide ${title}`} onClick={() => onAct(box, "hide")} data-testid={`hide-${box}`} />
    </div>
  );
}

const RESIZES: Record<Direction, Deed> = { up: "lower", down: "taller", left: "narrower", right: "wider" };
const DEEDS: { deed: Deed; words: string; sign: string }[] = [
  { deed: "up", words: "Move up", sign: "↑" }, { deed: "down", words: "Move down", sign: "↓" },
  { deed: "left", words: "Move left", sign: "←" }, { deed: "right", words: "Move right", sign: "→" },
  { deed: "lower", words: "Lower", sign: "▴" }, { deed: "taller", words: "Taller", sign: "▾" },
  { deed: "narrower", words: "Narrower column", sign: "◂" }, { deed: "wider", words: "Wider column", sign: "▸" },
];

/** The place under the pointer: before or after the box there, by its nearer half; in an empty column its beginning. */
function targetAt(x: number, y: number, dragged: Box, { columns }: Arrangement): Target | null {
  const over = document.elementsFromPoint(x, y).map((element) => element.closest<HTMLElement>("[data-box]")).find(Boolean);
  if (over) {
    const box = over.dataset["box"] as Box;
    const column = Number(over.dataset["column"]);
    if (box === dragged) return null;
    const { top, height } = over.getBoundingClientRect();
    const after = y > top + height / 2;
    return { column, index: columns[column]!.indexOf(box) + (after ? 1 : 0), box, after };
  }
  const grid = document.querySelector<HTMLElement>(".boxes");
  if (!grid || matchMedia(ONE_COLUMN).matches) return null;
  const bounds = grid.getBoundingClientRect();
  if (x < bounds.left || x > bounds.right || y < bounds.top || y > bounds.bottom) return null;
  const column = columnAt(x - bounds.left, getComputedStyle(grid).gridTemplateColumns.split(" ").map(parseFloat), parseFloat(getComputedStyle(grid).columnGap));
  const boxes = columns[column]!;
  return { column, index: boxes.length, box: boxes.at(-1) ?? dragged, after: true };
}

const columnAt = (x: number, widths: number[], gap: number): number => {
  let right = 0;
  const found = widths.findIndex((width) => x <= (right += width + gap));
  return found < 0 ? widths.length - 1 : found;
};

function Tools({ hidden, onShow, onReset, onDone }: { hidden: Box[]; onShow: (box: Box) => void; onReset: () => void; onDone: () => void }) {
  return (
    <section className="panel arrange-tools" aria-label="Arrange the panel">
      <p><strong>Drag a box by its name,</strong> or focus the name and use the arrow keys; with Shift they resize. Kept on this device.</p>
      <div className="row">
        {hidden.map((box) => <Button key={box} small onClick={() => onShow(box)} data-testid={`show-${box}`}>Show {BOX_TITLES[box].toLowerCase()}</Button>)}
        <Button small look="quiet" icon="retry" onClick={onReset} data-testid="arrange-reset">As at first</Button>
        <Button small look="primary" icon="check" onClick={onDone} data-testid="arrange-done">Done</Button>
      </div>
    </section>
  );
}

export function ArrangeButton({ button, on, onToggle }: { button: Ref<HTMLButtonElement>; on: boolean; onToggle: () => void }) {
  return (
    <button ref={button} type="button" className="button button-small button-quiet" aria-pressed={on} onClick={onToggle} data-testid="arrange">
      <Icon name="theatre" size={18} /><span className="button-label">Arrange</span>
    </button>
  );
}

/** A video that is moved in the document pauses; it is the preview, so it goes on. */
function usePlayingOn(grid: React.RefObject<HTMLElement | null>, arrangement: Arrangement) {
  const first = useRef(true);
  useLayoutEffect(() => {
    if (first.current) first.current = false;
    else void grid.current?.querySelector("video")?.play().catch(() => undefined); // refused: its own button stands there
  }, [grid, arrangement]);
}

/** What does not fit its box is scrolled, so it can have the focus; what fits is no stop on the way. */
function useScrollByKeyboard(inside: React.RefObject<HTMLElement | null>) {
  useEffect(() => {
    const panel = inside.current?.querySelector<HTMLElement>(":scope > .panel");
    if (!panel) return;
    const watching = new ResizeObserver(() => {
      if (panel.scrollHeight > panel.clientHeight + 1) panel.tabIndex = 0;
      else panel.removeAttribute("tabindex");
    });
    for (const element of [panel, ...panel.children]) watching.observe(element);
    return () => watching.disconnect();
  }, [inside]);
}

function useMatches(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const tell = () => setMatches(list.matches);
    list.addEventListener("change", tell);
    return () => list.removeEventListener("change", tell);
  }, [query]);
  return matches;
}
