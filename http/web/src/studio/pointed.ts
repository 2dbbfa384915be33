/** Charts one below the other that share a cursor: which of them the pointer is in, and moving it from elsewhere. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** Below a pixel nothing is to be seen. */
const NEAR = 1;
const NOWHERE = -10;

/** `optionsFor` is told how to ask whether the pointer is in this very chart: the others hear of its cursor too. */
export function drawPointed(host: HTMLElement, optionsFor: (isPointed: () => boolean) => uPlot.Options, data: uPlot.AlignedData): uPlot {
  let pointed = false;
  const drawn = new uPlot(optionsFor(() => pointed), data, host);
  drawn.over.addEventListener("pointerenter", () => { pointed = true; });
  drawn.over.addEventListener("pointerleave", () => { pointed = false; });
  return drawn;
}

/** Put the cursor at this moment, or away with null; a pointer in the chart has the last word. */
export function moveCursor(drawn: uPlot, at: number | null): void {
  const left = at === null ? NOWHERE : drawn.valToPos(at, "x");
  if (Math.abs((drawn.cursor.left ?? NOWHERE) - left) > NEAR && !drawn.over.matches(":hover")) drawn.setCursor({ left, top: 0 }, false);
}
