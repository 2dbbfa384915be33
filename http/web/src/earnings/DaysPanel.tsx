import { lazy, Suspense, useId, useState } from "react";
import { fetchDays, type Day, type Span } from "../api/earnings";
import { price } from "../money/amounts";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import { saveFile } from "./download";
import { countOf, csvOf, dayName, earnedBy, isEmpty, levelsIn, levelWords, net, returned, SOURCE_WORDS, sourcesIn, totals } from "./figures";
import { Framed } from "./Framed";
import { useAsked } from "./useAsked";

const DaysChart = lazy(() => import("./DaysChart")); // brings the charting library with it

const CHART_HEIGHT = 420;

/** What came in and who came and went, day by day. `news` grows when something may have changed. */
export function DaysPanel({ span, currency, news }: { span: Span; currency: string; news: number }) {
  const asked = useAsked((signal) => fetchDays(span, signal), `${span.from} ${span.to} ${span.zone} ${news}`);
  const save = (days: Day[]) => saveFile(`footlight-earnings-${span.from}-to-${span.to}-${currency}.csv`, csvOf(days, currency), "text/csv");
  return (
    <Framed
      title="Day by day" asked={asked} height={CHART_HEIGHT} testId="days"
      aside={asked.value && <Button small icon="down" onClick={() => save(asked.value!.days)} data-testid="export-csv">Export CSV</Button>}
    >
      {({ days, time_zone }) => (
        <>
          <Sums days={days} currency={currency} />
          {isEmpty(days, currency)
            ? <p className="muted" data-testid="days-empty">Nothing was earned in these days, and nobody subscribed or left. Subscriptions, gifts and paid messages show up here within seconds.</p>
            : <Suspense fallback={<Skeleton height={CHART_HEIGHT - 60} />}><DaysChart days={days} currency={currency} /></Suspense>}
          <DaysTable days={days} currency={currency} zone={time_zone} />
        </>
      )}
    </Framed>
  );
}

function Sums({ days, currency }: { days: Day[]; currency: string }) {
  const all = totals(days, currency);
  const figures: [string, string, string][] = [
    ["net", "Earned in these days", price(all.net_minor, currency)],
    ["sales", "Sales", all.sales.toLocaleString("en")],
    ["subscribers", "Subscribers at the end", all.subscribers.toLocaleString("en")],
    ["gained", "New subscribers", all.gained ? `+${all.gained.toLocaleString("en")}` : "0"],
    ["lost", "Lost subscribers", all.lost ? `−${all.lost.toLocaleString("en")}` : "0"],
  ];
  return (
    <dl className="earnings-sums">
      {figures.map(([name, words, value]) => <div key={name}><dt>{words}</dt><dd data-testid={`sum-${name}`}>{value}</dd></div>)}
    </dl>
  );
}

function DaysTable({ days, currency, zone }: { days: Day[]; currency: string; zone: string }) {
  const [open, setOpen] = useState(false);
  const caption = useId();
  const [sources, levels] = [sourcesIn(days, currency), levelsIn(days)];
  const counts = (counted: Record<string, number>) => levels.map((level) => <td key={level}>{counted[level] ?? 0}</td>);
  return (
    <details className="timeline-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      <div className="timeline-scroll" tabIndex={0} role="region" aria-labelledby={caption}>
        <table>
          <caption id={caption}>Earnings in {currency.toUpperCase()} and subscribers by day (days of {zone}), the newest first</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              {sources.map((source) => <th key={source} scope="col">{SOURCE_WORDS[source]}</th>)}
              <th scope="col">Given back</th><th scope="col">Together</th>
              {["New", "Lost"].flatMap((what) => levels.map((level) => <th key={`${what}${level}`} scope="col">{what}{levels.length > 1 && `, ${levelWords(level).toLowerCase()}`}</th>))}
              <th scope="col">Subscribers</th>
            </tr>
          </thead>
          <tbody>
            {open && days.toReversed().map((day) => (
              <tr key={day.date}>
                <th scope="row">{dayName(day.date, "short")}</th>
                {sources.map((source) => <td key={source}>{price(earnedBy(day.revenue, currency, source), currency)}</td>)}
                <td>{price(returned(day.revenue, currency), currency)}</td>
                <td>{price(net(day.revenue, currency), currency)}</td>
                {counts(day.gained)}{counts(day.lost)}
                <td>{countOf(day.subscribers)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
