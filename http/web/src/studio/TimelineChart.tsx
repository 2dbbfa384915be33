/** Everything that happened to the stream, one chart below the other: by pointer, by keyboard, and as a table. */
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type uPlot from "uplot";
import type { StreamTimeline } from "../api/types";
import { AXIS_HEIGHT, optionsOf, ROWS, type Columns, type Row } from "./chart";
import { sampleInWords, stepWords, timeWords } from "./format";
import { drawPointed, moveCursor } from "./pointed";
import { columnsOf, cursorAfter, inSteps, marksAt } from "./samples";
import { useChartColors, type ChartColors } from "./useChartColors";
import { useWidth } from "./useWidth";

const HEIGHTS: Record<Row["name"], number> = { viewers: 116, messages: 66, followers: 54, actions: 54, bitrate_kbps: 66 };
const TABLE_ROWS = 60;

export default function TimelineChart({ timeline, viewers, peak }: { timeline: StreamTimeline; viewers: number; peak: number }) {
  const colors = useChartColors();
  const columns = useMemo(() => columnsOf(timeline), [timeline]);
  const [place, setPlace] = useState<number | null>(null);
  const [frame, width] = useWidth();
  const last = timeline.samples.length - 1;
  const shown = timeline.samples[place ?? last];
  const at = place === null ? last : Math.min(place, last);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") setPlace(null);
    const next = cursorAfter(event.key, at, timeline);
    if (next === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    setPlace(next);
  };
  return (
    <div className="timeline" data-testid="timeline">
      <div
        ref={frame} className="timeline-charts" tabIndex={0} role="slider" aria-label="Time line of the stream. Arrow keys move through it, M goes to the next mark."
        aria-valuemin={0} aria-valuemax={Math.max(0, last)} aria-valuenow={Math.max(0, at)} aria-valuetext={shown ? sampleInWords(shown, marksAt(timeline, at), timeline.step_seconds) : "Nothing yet"}
        onKeyDown={onKeyDown} onBlur={() => setPlace(null)} onPointerLeave={() => setPlace(null)} data-testid="timeline-cursor"
      >
        {ROWS.map((row, index) => (
          <div key={row.name} className="timeline-row">
            <p className="timeline-name">
              <span className="timeline-key" style={{ background: colors[row.name] }} aria-hidden="true" />
              <span>{row.title}{row.bars && <span className="muted"> per {stepWords(timeline.step_seconds)}</span>}</span>
              <strong data-testid={`now-${row.name}`}>{row.words(row.name === "viewers" && place === null ? viewers : (shown?.[row.name] ?? null))}</strong>
              {row.name === "viewers" && <span className="muted">most {peak.toLocaleString("en")}</span>}
            </p>
            {width > 0 && <Chart row={row} timeline={timeline} columns={columns} colors={colors} width={width} last={index === ROWS.length - 1} place={place} onPoint={setPlace} />}
          </div>
        ))}
        <Tip timeline={timeline} place={place} width={width} />
      </div>
      <Table timeline={timeline} />
    </div>
  );
}

interface ChartProps {
  row: Row;
  timeline: StreamTimeline;
  columns: Columns;
  colors: ChartColors;
  width: number;
  last: boolean;
  place: number | null;
  onPoint: (place: number | null) => void;
}

function Chart({ row, timeline, columns, colors, width, last, place, onPoint }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const sync = "footlight-studio";
  const told = useRef(onPoint);
  told.current = onPoint;
  const height = HEIGHTS[row.name] + (last ? AXIS_HEIGHT : 0);

  // Drawn anew with each answer, every ten seconds: options hold the marks, and 400 points take under a millisecond.
  useEffect(() => {
    const optionsFor = (isPointed: () => boolean) =>
      optionsOf({
        row, timeline, columns, colors, size: { width, height }, last, sync,
        onPoint: (found) => isPointed() && told.current(found),
      });
    const drawn = drawPointed(host.current!, optionsFor, [columns.times, columns.values[row.name]]);
    chart.current = drawn;
    return () => {
      chart.current = null;
      drawn.destroy();
    };
  }, [row, timeline, columns, colors, width, height, last]);

  useEffect(() => {
    if (!chart.current) return;
    const index = place === null ? -1 : columns.places.indexOf(place);
    moveCursor(chart.current, columns.times[index] ?? null);
  }, [place, columns, timeline, width]);

  return <div ref={host} className="timeline-plot" aria-hidden="true" style={{ height }} />;
}

/** What happened at the cursor, on the side where it hides nothing under it. */
function Tip({ timeline, place, width }: { timeline: StreamTimeline; place: number | null; width: number }) {
  const sample = place === null ? undefined : timeline.samples[place];
  if (!sample || width === 0) return null;
  const right = place! > timeline.samples.length / 2;
  return (
    <div className={`timeline-tip ${right ? "timeline-tip-left" : ""}`} aria-hidden="true" data-testid="timeline-tip">
      <strong>{timeWords(Date.parse(sample.at), timeline.step_seconds)}</strong>
      <dl>{ROWS.map((row) => <div key={row.name}><dt>{row.title}</dt><dd>{row.words(sample[row.name])}</dd></div>)}</dl>
      {marksAt(timeline, place!).map((mark) => <p key={`${mark.at}${mark.text}`}>{mark.text}</p>)}
    </div>
  );
}

function Table({ timeline }: { timeline: StreamTimeline }) {
  const [open, setOpen] = useState(false);
  const step = timeline.step_seconds * Math.max(1, Math.ceil(timeline.samples.length / TABLE_ROWS));
  const coarse: StreamTimeline = { ...timeline, samples: open ? inSteps(timeline.samples, step) : [], step_seconds: step };
  const caption = useId();
  return (
    <details className="timeline-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      <div className="timeline-scroll" tabIndex={0} role="region" aria-labelledby={caption}>
        <table>
          <caption id={caption}>How the stream went, in steps of {stepWords(step)}, the newest first</caption>
          <thead><tr><th scope="col">Time</th>{ROWS.map((row) => <th key={row.name} scope="col">{row.title}</th>)}<th scope="col">What happened</th></tr></thead>
          <tbody>
            {coarse.samples.map((sample, place) => (
              <tr key={sample.at}>
                <th scope="row">{timeWords(Date.parse(sample.at), step)}</th>
                {ROWS.map((row) => <td key={row.name}>{row.words(sample[row.name])}</td>)}
                <td>{marksAt(coarse, place).map((mark) => mark.text).join(", ")}</td>
              </tr>
            )).reverse()}
          </tbody>
        </table>
      </div>
    </details>
  );
}
