/** Revenue by source, and subscribers who came and went, day by day: by pointer, by keyboard, and as a table. */
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type uPlot from "uplot";
import type { Day, Source } from "../api/earnings";
import { price } from "../money/amounts";
import { drawPointed, moveCursor } from "../studio/pointed";
import { useChartColors, type ChartColors } from "../studio/useChartColors";
import { useWidth } from "../studio/useWidth";
import { AXIS_HEIGHT, dataOf, optionsOf, type Drawing } from "./chart";
import { countOf, cursorAfter, dayInWords, dayName, earnedBy, levelsIn, levelWords, net, returned, revenueStack, SOURCE_WORDS, sourcesIn, subscriberStack } from "./figures";

const HEIGHTS = { revenue: 208, subscribers: 112 };
const COLOR_OF: Record<Source, keyof ChartColors> = { subscription: "viewers", gift: "followers", paid_message: "messages", premium: "bitrate_kbps" };
const LEVEL_COLORS: (keyof ChartColors)[] = ["viewers", "followers", "messages"];

/** Place 0 is the first day; the last one is shown until somebody points. */
export default function DaysChart({ days, currency }: { days: Day[]; currency: string }) {
  const colors = useChartColors();
  const [place, setPlace] = useState<number | null>(null);
  const [frame, width] = useWidth();
  const at = Math.min(place ?? days.length - 1, days.length - 1);
  const shown = days[at];
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") setPlace(null);
    const next = cursorAfter(event.key, at, days.length);
    if (next === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    setPlace(next);
  };
  const rows = useRows(days, currency, colors);
  return (
    <div
      ref={frame} className="timeline-charts" tabIndex={0} role="slider" aria-label="Earnings and subscribers by day. Arrow keys move through the days."
      aria-valuemin={0} aria-valuemax={Math.max(0, days.length - 1)} aria-valuenow={Math.max(0, at)} aria-valuetext={shown ? dayInWords(shown, currency) : "Nothing yet"}
      onKeyDown={onKeyDown} onBlur={() => setPlace(null)} onPointerLeave={() => setPlace(null)} data-testid="days-cursor"
    >
      {rows.map(({ name, title, keys, ...row }, index) => (
        <div key={name} className="timeline-row" data-testid={`chart-${name}`}>
          <p className="timeline-name chart-keys"><strong>{title}</strong>{keys.map(([words, color]) => <Key key={words} words={words} color={color} />)}</p>
          {width > 0 && <Chart {...row} name={name} dates={row.dates} colors={colors} width={width} last={index === rows.length - 1} place={place} onPoint={setPlace} />}
        </div>
      ))}
      {shown && place !== null && width > 0 && <Tip day={shown} days={days} currency={currency} left={at > days.length / 2} />}
    </div>
  );
}

function Key({ words, color }: { words: string; color: string }) {
  return <span className="chart-key"><span className="timeline-key" style={{ background: color }} aria-hidden="true" />{words}</span>;
}

interface Row extends Pick<Drawing, "stack" | "fills" | "dates" | "tick"> {
  name: keyof typeof HEIGHTS;
  title: string;
  keys: [string, string][];
}

function useRows(days: Day[], currency: string, colors: ChartColors): Row[] {
  return useMemo(() => {
    const dates = days.map((day) => day.date);
    const [sources, levels] = [sourcesIn(days, currency), levelsIn(days)];
    const ofSources = sources.map((source) => colors[COLOR_OF[source]]);
    const ofLevels = levels.map((_, place) => colors[LEVEL_COLORS[place]!]);
    const short = new Intl.NumberFormat(undefined, { style: "currency", currency: currency.toUpperCase(), notation: "compact", maximumFractionDigits: 1 });
    const named = (names: string[], fills: string[]) => names.map((name, place): [string, string] => [name, fills[place]!]);
    const returns = days.some((day) => returned(day.revenue, currency) > 0);
    return [
      {
        name: "revenue", title: "Earned", dates, stack: revenueStack(days, currency), fills: { above: ofSources, below: [colors.actions] }, tick: (value) => short.format(value),
        keys: [...named(sources.map((source) => SOURCE_WORDS[source]), ofSources), ...(returns ? [["Given back", colors.actions] as [string, string]] : [])],
      },
      {
        name: "subscribers", title: "Subscribers: new above the line, lost below", dates, stack: subscriberStack(days), fills: { above: ofLevels, below: ofLevels }, tick: (value) => Math.abs(value).toLocaleString("en", { notation: "compact" }),
        keys: levels.length > 1 ? named(levels.map(levelWords), ofLevels) : [],
      },
    ];
  }, [days, currency, colors]);
}

interface ChartProps extends Omit<Row, "title" | "keys"> {
  colors: ChartColors;
  width: number;
  last: boolean;
  place: number | null;
  onPoint: (place: number | null) => void;
}

function Chart({ name, stack, fills, dates, tick, colors, width, last, place, onPoint }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const told = useRef(onPoint);
  told.current = onPoint;
  const height = HEIGHTS[name] + (last ? AXIS_HEIGHT : 0);

  useEffect(() => {
    const optionsFor = (isPointed: () => boolean) =>
      optionsOf({ stack, fills, dates, tick, colors, size: { width, height }, last, sync: "footlight-earnings", onPoint: (found) => isPointed() && told.current(found) });
    const drawn = drawPointed(host.current!, optionsFor, dataOf(stack, dates));
    chart.current = drawn;
    return () => {
      chart.current = null;
      drawn.destroy();
    };
  }, [stack, fills, dates, tick, colors, width, height, last]);

  useEffect(() => {
    if (chart.current) moveCursor(chart.current, place);
  }, [place, dates, width]);

  return <div ref={host} className="timeline-plot" aria-hidden="true" style={{ height }} />;
}

/** What happened on the day under the cursor, on the side where it hides nothing of it. */
function Tip({ day, days, currency, left }: { day: Day; days: Day[]; currency: string; left: boolean }) {
  const back = returned(day.revenue, currency);
  const lines: [string, string][] = [
    ...sourcesIn(days, currency).map((source): [string, string] => [SOURCE_WORDS[source], price(earnedBy(day.revenue, currency, source), currency)]),
    ...(back ? [["Given back", price(-back, currency)] as [string, string], ["Together", price(net(day.revenue, currency), currency)] as [string, string]] : []),
    ["New subscribers", String(countOf(day.gained))],
    ["Lost", String(countOf(day.lost))],
    ["Subscribers", String(countOf(day.subscribers))],
  ];
  return (
    <div className={`timeline-tip ${left ? "timeline-tip-left" : ""}`} aria-hidden="true" data-testid="days-tip">
      <strong>{dayName(day.date)}</strong>
      <dl>{lines.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </div>
  );
}
