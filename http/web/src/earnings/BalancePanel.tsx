import { useId, useState } from "react";
import type { Overview } from "../api/earnings";
import { day, price } from "../money/amounts";
import { Button } from "../ui/Button";
import { PayoutDialog } from "./PayoutDialog";
import { balanceIn, payoutProblem } from "./words";

/** What there is, what is coming, and what one can have now. */
export function BalancePanel({ overview, currency, onNews }: { overview: Overview; currency: string; onNews: () => void }) {
  const balance = balanceIn(overview, currency);
  const [asking, setAsking] = useState(false);
  const heading = useId();
  const why = useId();
  const problem = payoutProblem(overview, balance);
  const said = (minor: number) => price(minor, currency);
  return (
    <section className="panel earnings-balance" aria-labelledby={heading} data-testid="balance">
      <h2 id={heading}>Balance</h2>
      <dl className="earnings-figures">
        <Figure name="available" words="Available" value={said(Math.max(0, balance.available_minor))} note="Can be paid out now" strong />
        <Figure name="pending" words="Pending" value={said(balance.pending_minor)} note="Becomes available some days after it was paid" />
        <Figure name="transit" words="On its way" value={said(balance.transit_minor)} note="A payout that has not left us" />
        <Figure name="paid" words="Paid out" value={said(balance.paid_minor)} note="Since you began" />
        {balance.reserve_minor !== 0 && <Figure name="reserve" words="Held back" value={said(balance.reserve_minor)} note="Until a bank has decided a dispute" />}
      </dl>
      {balance.available_minor < 0 && (
        <p className="earnings-debt" role="note" data-testid="debt">
          <strong>You owe {said(-balance.available_minor)}.</strong> Payments were given back or disputed after you had been paid for them. What you earn next settles it first; nothing is taken from your bank account.
        </p>
      )}
      <Next overview={overview} currency={currency} />
      <div className="earnings-ask">
        <Button look="primary" icon="coin" disabled={problem !== null} aria-describedby={problem ? why : undefined} onClick={() => setAsking(true)} data-testid="ask-payout">Pay out now</Button>
        {problem && <p id={why} className="muted small" data-testid="payout-problem">{problem}</p>}
      </div>
      <PayoutDialog open={asking} balance={balance} minimum={overview.minimum_minor} onClose={() => setAsking(false)} onNews={onNews} />
    </section>
  );
}

interface FigureProps {
  name: string;
  words: string;
  value: string;
  note: string;
  strong?: boolean;
}

function Figure({ name, words, value, note, strong = false }: FigureProps) {
  return (
    <div className={strong ? "earnings-figure-strong" : undefined}>
      <dt>{words}</dt>
      <dd data-testid={`balance-${name}`}>{value}</dd>
      <dd className="muted small">{note}</dd>
    </div>
  );
}

/** The next payout in one line, and how it was reckoned. */
function Next({ overview, currency }: { overview: Overview; currency: string }) {
  const next = overview.forecast.find((one) => one.currency === currency);
  if (!next) return <p className="earnings-next muted" data-testid="forecast">Your next payout shows up here when you have earned something.</p>;
  const amount = price(next.amount_minor, currency);
  const when = next.at ? `on ${day(next.at)}` : "when you ask for it";
  return (
    <div className="earnings-next" data-testid="forecast">
      <p><strong>Next payout: {next.amount_minor > 0 ? `${amount} ${when}` : "nothing yet"}</strong></p>
      <p className="muted small">{next.how}</p>
    </div>
  );
}
