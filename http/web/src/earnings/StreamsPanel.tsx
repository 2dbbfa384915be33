import { Link } from "react-router";
import { fetchStreamFigures, type Span, type StreamFigures } from "../api/earnings";
import { day, price } from "../money/amounts";
import { ButtonLink } from "../ui/Button";
import { DataTable, type Column } from "../ui/DataTable";
import { duration } from "../ui/time";
import { net, salesIn } from "./figures";
import { Framed } from "./Framed";
import { useAsked } from "./useAsked";

const orUnknown = (count: number | null) => (count === null ? "unknown" : Math.round(count).toLocaleString("en"));
const lasted = (from: string, to: string | null) => (to ? duration((Date.parse(to) - Date.parse(from)) / 1000) : "on air");

/** What each stream of these days brought, beside who watched and wrote. */
export function StreamsPanel({ span, currency, news }: { span: Span; currency: string; news: number }) {
  const asked = useAsked((signal) => fetchStreamFigures(span, signal), `${span.from} ${span.to} ${span.zone} ${news}`);
  const columns: Column<StreamFigures>[] = [
    { title: "Stream", cell: ({ stream }) => <><Link to={`/watch/${stream.id}`}>{stream.title}</Link><span className="table-note">{day(stream.started_at)}, {lasted(stream.started_at, stream.ended_at)}</span></> },
    { title: "Earned", figure: true, cell: ({ revenue }) => price(net(revenue, currency), currency) },
    { title: "Sales", figure: true, cell: ({ revenue }) => salesIn(revenue, currency).toLocaleString("en") },
    { title: "New subscribers", figure: true, cell: (one) => one.new_subscribers.toLocaleString("en") },
    { title: "Most viewers", figure: true, cell: ({ stream }) => orUnknown(stream.peak_viewers) },
    { title: "Viewers on average", figure: true, cell: ({ stream }) => orUnknown(stream.average_viewers) },
    { title: "Chat messages", figure: true, cell: ({ stream }) => orUnknown(stream.messages) },
  ];
  return (
    <Framed title="Your streams" asked={asked} height={160} testId="stream-figures">
      {({ streams }) => streams.length === 0
        ? <div className="stack"><p className="muted">You did not stream in these days.</p><div><ButtonLink to="/studio" icon="camera" small>Go live</ButtonLink></div></div>
        : <DataTable caption="Your streams, the newest first: what each brought, its viewers and its chat" columns={columns} rows={streams} keyOf={({ stream }) => stream.id} testId="stream-row" />}
    </Framed>
  );
}
