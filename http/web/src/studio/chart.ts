/** The charts of one time line as uPlot draws them: one below the other, same moments, one cursor, marks through all. */
import uPlot from "uplot";
import type { StreamTimeline } from "../api/types";
import { bitRate, orDash, timeWords } from "./format";
import { roof } from "./roof";
import { columnsOf, type SeriesName } from "./samples";
import type { ChartColors } from "./useChartColors";

export interface Row {
  name: SeriesName;
  title: string;
  words: (value: number | null) => string;
  bars: boolean;
}

export const ROWS: Row[] = [
  { name: "viewers", title: "Viewers", words: orDash, bars: false },
  { name: "messages", title: "Chat messages", words: orDash, bars: true },
  { name: "followers", title: "New followers", words: orDash, bars: true },
  { name: "actions", title: "Moderation actions", words: orDash, bars: true },
  { name: "bitrate_kbps", title: "Bit rate", words: bitRate, bars: false },
];

export const AXIS_HEIGHT = 26;
const SIDE = 52;
const FONT = "12px system-ui, sans-serif";

export type Columns = ReturnType<typeof columnsOf>;

export interface Drawing {
  row: Row;
  timeline: StreamTimeline;
  columns: Columns;
  colors: ChartColors;
  size: { width: number; height: number };
  /** The time is written below the last one only. */
  last: boolean;
  sync: string;
  /** The place in the samples under the pointer; null when it left. */
  onPoint: (place: number | null) => void;
}

/** The moments shown: at least ten minutes, so that a stream of a minute is not one bar over all. */
export function spanOf({ samples, step_seconds }: StreamTimeline): [number, number] {
  const [first, last] = [samples[0], samples.at(-1)].map((sample) => (sample ? Date.parse(sample.at) / 1000 : 0));
  return [first!, Math.max(last! + step_seconds, first! + 600)];
}

export function optionsOf(drawing: Drawing): uPlot.Options {
  const { row, timeline, columns, colors, size, last, sync, onPoint } = drawing;
  const color = colors[row.name];
  const axis = { stroke: colors.muted, font: FONT, grid: { stroke: colors.line, width: 1 }, ticks: { show: false } };
  return {
    ...size,
    legend: { show: false },
    padding: [8, 8, last ? 0 : 4, 0],
    cursor: {
      sync: { key: sync, setSeries: false },
      drag: { x: false, y: false, setScale: false },
      points: { size: 8, fill: colors.bg, stroke: color, width: 2 },
      y: false,
      // The keyboard moves it as well as the pointer: a click must not freeze it.
      lock: false,
    },
    scales: { x: { time: true, range: () => spanOf(timeline) }, y: { range: (_, __, most) => [0, roof(most ?? 0)] } },
    axes: [
      { ...axis, size: last ? AXIS_HEIGHT : 0, show: last, space: 72, values: (_, ticks) => ticks.map((at) => timeWords(at * 1000, Math.max(60, timeline.step_seconds))) },
      { ...axis, size: SIDE, gap: 6, splits: (_, __, ___, top) => (size.height > 100 ? [0, top / 2, top] : [0, top]), values: (_, ticks) => ticks.map((tick) => (row.name === "bitrate_kbps" ? bitRateTick(tick) : tick.toLocaleString("en", { notation: "compact" }))) },
    ],
    series: [
      {},
      row.bars
        ? { label: row.title, stroke: color, fill: color, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.9, 24, 2], align: 1 }) }
        : { label: row.title, stroke: color, width: 2, fill: `${color}24`, points: { show: false }, spanGaps: false, paths: uPlot.paths.stepped!({ align: 1 }) },
    ],
    hooks: {
      drawClear: [(chart) => drawMarks(chart, timeline, colors)],
      setCursor: [(chart) => onPoint(typeof chart.cursor.idx === "number" && chart.cursor.left! >= 0 ? nearest(columns.places, chart.cursor.idx) : null)],
    },
  };
}

const bitRateTick = (kbps: number) => (kbps >= 1000 ? `${kbps / 1000}M` : kbps === 0 ? "0" : `${kbps}k`);

/** The sample at a column, or the one before a hole. */
function nearest(places: number[], index: number): number | null {
  const place = places[index] === -1 ? places[index - 1] : places[index];
  return place ?? null;
}

function drawMarks(chart: uPlot, { marks }: StreamTimeline, colors: ChartColors): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = colors.mark;
  ctx.lineWidth = devicePixelRatio;
  for (const mark of marks) {
    const x = Math.round(chart.valToPos(Date.parse(mark.at) / 1000, "x", true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.setLineDash(mark.kind === "interrupted" || mark.kind === "ended" ? [] : [4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
