import { useEffect, useState } from "react";
import { asApiError } from "../api/errors";
import { fetchPayouts, type Payout } from "../api/earnings";
import { day, price } from "../money/amounts";
import { Button } from "../ui/Button";
import { Framed } from "./Framed";
import { useAsked } from "./useAsked";
import { PAYOUT_WORDS, payoutWords } from "./words";

/** Every payout so far and what became of it. */
export function PayoutsPanel({ news }: { news: number }) {
  const asked = useAsked((signal) => fetchPayouts(null, signal), String(news));
  const older = useOlder(asked.value?.next_cursor ?? null, news);
  return (
    <Framed title="Payouts" asked={asked} height={96} testId="payouts">
      {({ payouts }) => payouts.length === 0 ? <p className="muted">Nothing was paid out so far.</p> : (
        <>
          <ul className="payouts">{[...payouts, ...older.payouts].map((payout) => <Line key={payout.id} payout={payout} />)}</ul>
          {older.problem && <p className="field-error" role="alert">{older.problem}</p>}
          {older.more && <div><Button busy={older.busy} onClick={older.ask}>Show more</Button></div>}
        </>
      )}
    </Framed>
  );
}

function Line({ payout }: { payout: Payout }) {
  return (
    <li className="payout" data-testid="payout" data-state={payout.state}>
      <strong className="payout-amount">{price(payout.amount_minor, payout.currency)}</strong>
      <span className={`badge payout-${payout.state}`}>{PAYOUT_WORDS[payout.state]}</span>
      <time className="muted small" dateTime={payout.asked_at}>{day(payout.asked_at)}</time>
      <p className="small">{payoutWords(payout)}</p>
    </li>
  );
}

/** The pages after the first; forgotten when the first one may have changed. */
function useOlder(first: string | null, news: number) {
  const [state, setState] = useState<{ payouts: Payout[]; cursor: string | null; asked: boolean }>({ payouts: [], cursor: null, asked: false });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => setState({ payouts: [], cursor: null, asked: false }), [first, news]);
  const cursor = state.asked ? state.cursor : first;
  const ask = () => {
    setBusy(true);
    setProblem(null);
    fetchPayouts(cursor)
      .then(
        (page) => setState((had) => ({ payouts: [...had.payouts, ...page.payouts], cursor: page.next_cursor, asked: true })),
        (thrown: unknown) => setProblem(asApiError(thrown).message),
      )
      .finally(() => setBusy(false));
  };
  return { payouts: state.payouts, more: cursor !== null, busy, problem, ask };
}
