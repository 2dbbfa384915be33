/** Days as uPlot draws them: bars that stand on each other, and under the line what went. One cursor through all. */
import uPlot from "uplot";
import { roof } from "../studio/roof";
import type { ChartColors } from "../studio/useChartColors";
import { dayName, type Stack } from "./figures";

export const AXIS_HEIGHT = 26;
const SIDE = 60;
const FONT = "12px system-ui, sans-serif";

export interface Drawing {
  stack: Stack;
  /** One for each row of the stack, above and below. */
  fills: { above: string[]; below: string[] };
  dates: string[];
  colors: ChartColors;
  size: { width: number; height: number };
  /** The days are written below the last one only. */
  last: boolean;
  tick: (value: number) => string;
  sync: string;
  onPoint: (place: number | null) => void;
}

/** The highest sums first, so that each lower one is drawn over them. */
const rowsOf = ({ above, below }: Stack) => [...above.toReversed(), ...below.toReversed()];

export const dataOf = (stack: Stack, dates: string[]): uPlot.AlignedData => [dates.map((_, place) => place), ...rowsOf(stack)];

/** The lowest and the highest value shown. */
export function heightsOf({ above, below }: Stack): [number, number] {
  const lowest = Math.min(0, ...(below.at(-1) ?? []));
  return [lowest === 0 ? 0 : -roof(-lowest), roof(Math.max(0, ...(above.at(-1) ?? [])))];
}

/** Zero, the top and half of it; the bottom where there is room for its words. */
export const ticksOf = ([bottom, top]: [number, number]) => [...(-bottom > (top - bottom) * 0.2 ? [bottom] : []), 0, top / 2, top];

export function optionsOf({ stack, fills, dates, colors, size, last, tick, sync, onPoint }: Drawing): uPlot.Options {
  const heights = heightsOf(stack);
  const axis = { stroke: colors.muted, font: FONT, grid: { stroke: colors.line, width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars!({ size: [0.72, 36, 2] });
  const paint = [...fills.above.toReversed(), ...fills.below.toReversed()];
  return {
    ...size,
    legend: { show: false },
    padding: [8, 8, last ? 0 : 6, 0],
    cursor: {
      sync: { key: sync, setSeries: false },
      drag: { x: false, y: false, setScale: false },
      points: { show: false },
      y: false,
      lock: false,
      // The line stands in the middle of a day, wherever in it the pointer is.
      move: (chart, left, top) => (left < 0 ? [left, top] : [chart.valToPos(Math.round(chart.posToVal(left, "x")), "x"), top]),
    },
    scales: { x: { time: false, range: () => [-0.5, dates.length - 0.5] }, y: { range: () => heights } },
    axes: [
      { ...axis, grid: { show: false }, size: last ? AXIS_HEIGHT : 0, show: last, space: 64, incrs: [1, 2, 7, 14, 28, 56], values: (_, places) => places.map((place) => (dates[place] ? dayName(dates[place], "short") : "")) },
      { ...axis, size: SIDE, gap: 6, splits: () => ticksOf(heights), values: (_, values) => values.map(tick) },
    ],
    series: [{}, ...paint.map((fill) => ({ stroke: fill, fill, width: 0, points: { show: false }, paths: bars }))],
    hooks: { setCursor: [(chart) => onPoint(typeof chart.cursor.idx === "number" && chart.cursor.left! >= 0 ? chart.cursor.idx : null)] },
  };
}
