/** What a creator earned, from what, and when it is paid. */
import { useEffect, useMemo, useRef, useState } from "react";
import { Navigate, useSearchParams } from "react-router";
import { fetchEarnings, type Overview } from "../api/earnings";
import { useTitle } from "../layout/useTitle";
import { usePolling } from "../pages/usePolling";
import { useSession } from "../session/SessionProvider";
import { StudioTabs } from "../studio/StudioTabs";
import { Button, ButtonLink } from "../ui/Button";
import { Message } from "../ui/Message";
import { PageSkeleton, Skeleton } from "../ui/Skeleton";
import { AccountPanel } from "./AccountPanel";
import { BalancePanel } from "./BalancePanel";
import { DaysPanel } from "./DaysPanel";
import { PayoutsPanel } from "./PayoutsPanel";
import { PeriodChoice } from "./PeriodChoice";
import { periodOf, spanOf, today, zoneHere } from "./period";
import { StatementsPanel } from "./StatementsPanel";
import { StreamsPanel } from "./StreamsPanel";
import { SupportersPanel } from "./SupportersPanel";
import { currenciesOf } from "./words";
import "../money/money.css";
import "../studio/studio.css";
import "./earnings.css";

const REFRESH_MS = 10_000;
const UNDER_WAY_MS = 2500;

export default function EarningsPage() {
  useTitle("Earnings");
  const { user } = useSession();
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: "/studio/earnings" }} replace />;
  if (user.role !== "creator" && user.role !== "admin") return <Navigate to="/studio" replace />;
  return (
    <div className="page earnings">
      <StudioTabs />
      <Dashboard key={user.id} />
    </div>
  );
}

function Dashboard() {
  const [underWay, setUnderWay] = useState(false);
  const { value, error, ask } = usePolling((signal) => fetchEarnings(signal), underWay ? UNDER_WAY_MS : REFRESH_MS);
  useEffect(() => setUnderWay(value?.balances.some((one) => one.transit_minor > 0) ?? false), [value]);
  if (error?.status === 404) {
    return (
      <Message icon="coin" title="Payments are off here" action={<ButtonLink to="/studio">Back to the studio</ButtonLink>} testId="payments-off">
        Nothing can be bought on this Footlight, so there is nothing to earn yet. Whoever runs it can turn payments on.
      </Message>
    );
  }
  if (!value && error) {
    return (
      <Message icon="offline" title="Your earnings could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>
        {error.message}
      </Message>
    );
  }
  if (!value) return <Waiting />;
  return <Figures overview={value} late={error?.message ?? null} onNews={ask} />;
}

function Waiting() {
  return (
    <div className="earnings" role="status" aria-label="Reading your earnings">
      <Skeleton height={34} width={180} />
      <div className="earnings-top"><Skeleton height={280} /><Skeleton height={280} /></div>
      <Skeleton height={460} />
    </div>
  );
}

function Figures({ overview, late, onNews }: { overview: Overview; late: string | null; onNews: () => void }) {
  const [search] = useSearchParams();
  const news = useNews(overview);
  const currencies = currenciesOf(overview);
  const [chosen, setChosen] = useState<string | null>(null);
  const currency = chosen !== null && currencies.includes(chosen) ? chosen : currencies[0]!;
  const day = today();
  const span = useMemo(() => spanOf(periodOf(search), day, zoneHere()), [search, day]);
  return (
    <>
      <header className="earnings-head">
        <h1>Earnings</h1>
        {currencies.length > 1 && (
          <label className="earnings-currency">
            <span>Currency</span>
            <select className="input" value={currency} onChange={(event) => setChosen(event.target.value)}>
              {currencies.map((each) => <option key={each} value={each}>{each.toUpperCase()}</option>)}
            </select>
          </label>
        )}
      </header>
      {late && <p className="timeline-late" role="status">These figures are not up to date: {late}</p>}
      <div className="earnings-top">
        <BalancePanel overview={overview} currency={currency} onNews={onNews} />
        <AccountPanel account={overview.account} onNews={onNews} />
      </div>
      <PeriodChoice span={span} />
      <DaysPanel span={span} currency={currency} news={news} />
      <SupportersPanel span={span} currency={currency} news={news} />
      <StreamsPanel span={span} currency={currency} news={news} />
      <PayoutsPanel news={news} />
      <StatementsPanel news={news} />
    </>
  );
}

/** A number that grows when balances are others than before: then the figures below are asked for again. */
function useNews({ balances }: Overview): number {
  const text = JSON.stringify(balances);
  const seen = useRef(text);
  const [news, setNews] = useState(0);
  useEffect(() => {
    if (seen.current === text) return;
    seen.current = text;
    setNews((count) => count + 1);
  }, [text]);
  return news;
}
