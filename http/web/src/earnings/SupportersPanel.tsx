import { fetchSupporters, type Span } from "../api/earnings";
import { day, price } from "../money/amounts";
import { Avatar } from "../ui/Avatar";
import { Framed } from "./Framed";
import { useAsked } from "./useAsked";

/** Who spent most in these days. */
export function SupportersPanel({ span, currency, news }: { span: Span; currency: string; news: number }) {
  const asked = useAsked((signal) => fetchSupporters(span, currency, signal), `${span.from} ${span.to} ${span.zone} ${currency} ${news}`);
  return (
    <Framed title="Top supporters" asked={asked} height={160} testId="supporters">
      {({ supporters }) =>
        supporters.length === 0 ? <p className="muted">Nobody paid for anything in these days.</p> : (
          <ol className="supporters">
            {supporters.map(({ id, name, spent_minor, sales, last_at }, place) => (
              <li key={id ?? place} data-testid="supporter">
                <span className="supporter-place" aria-hidden="true">{place + 1}</span>
                <Avatar id={id ?? "gone"} name={name ?? "?"} size={32} />
                <span className="supporter-words"><strong>{name ?? "An account that is gone"}</strong><span className="muted small">{sales === 1 ? "1 payment" : `${sales.toLocaleString("en")} payments`}, last on {day(last_at)}</span></span>
                <strong className="supporter-sum">{price(spent_minor, currency)}</strong>
              </li>
            ))}
          </ol>
        )}
    </Framed>
  );
}
