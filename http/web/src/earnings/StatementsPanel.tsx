import { fetchStatements, statementAddress } from "../api/earnings";
import { Icon } from "../ui/icons";
import { monthName } from "./figures";
import { Framed } from "./Framed";
import { today } from "./period";
import { useAsked } from "./useAsked";

/** A statement for each month: every entry as CSV, by days as PDF. The first sale brings the first month. */
export function StatementsPanel({ news }: { news: number }) {
  const asked = useAsked((signal) => fetchStatements(signal), String(news));
  return (
    <Framed title="Statements" asked={asked} height={96} testId="statements">
      {({ months, currencies }) => months.length === 0 ? <p className="muted">Your first statement is here as soon as you have earned something.</p> : (
        <>
          <p className="muted small">CSV has every entry of your account, PDF is for your tax adviser. Months are those of UTC.</p>
          <ul className="statements">
            {months.map((month) => (
              <li key={month}>
                <strong>{monthName(month)}{month === today().slice(0, 7) && <span className="muted small"> so far</span>}</strong>
                <span className="row">
                  {currencies.flatMap((currency) => (["csv", "pdf"] as const).map((format) => (
                    <a key={`${currency}${format}`} className="button button-plain button-small" href={statementAddress(month, format, currency)} download data-testid={`statement-${format}`}
                      aria-label={`Statement of ${monthName(month)} in ${currency.toUpperCase()} as ${format.toUpperCase()}`}>
                      <Icon name="down" size={16} />{currencies.length > 1 && `${currency.toUpperCase()} `}{format.toUpperCase()}
                    </a>
                  )))}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Framed>
  );
}
