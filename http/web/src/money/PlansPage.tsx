/** Premium: what one gets, what it costs, and the way to the payment page. */
import { useState } from "react";
import { Link, useLocation } from "react-router";
import { beginCheckout, type Plan, type Shelf, type Subscription } from "../api/payments";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Message } from "../ui/Message";
import { PageSkeleton, Skeleton } from "../ui/Skeleton";
import { INTERVALS, price, savedPercent } from "./amounts";
import { PREMIUM_GIVES } from "./levels";
import { runningFor, standingOf } from "./standing";
import { Trouble } from "./Trouble";
import { useBuying } from "./useBuying";
import { askShelf, useShelf } from "./useShelf";
import { useMine } from "./useMine";
import type { Wish } from "./wish";
import "./money.css";

export default function PlansPage() {
  useTitle("Premium");
  const stock = useShelf();
  if (stock.state === "loading") return <PageSkeleton />;
  if (stock.state === "off") {
    return <Message icon="heart" title="Nothing is sold here" action={<ButtonLink to="/" look="primary">See who is live</ButtonLink>} testId="payments-off">Payments are not set up on this server, so everything that is not premium is free for everybody.</Message>;
  }
  if (stock.state === "failed") {
    return <Message icon="offline" title="The plans could not be loaded" action={<Button look="primary" icon="retry" onClick={askShelf}>Try again</Button>}>{stock.error.message}</Message>;
  }
  return <Plans shelf={stock.shelf} />;
}

function Plans({ shelf }: { shelf: Shelf }) {
  const { user } = useSession();
  const mine = useMine(Boolean(user));
  const plans = shelf.plans.filter((plan) => plan.scope === "premium");
  const [monthly, yearly] = (["month", "year"] as const).map((interval) => plans.find((plan) => plan.interval === interval));
  const saved = monthly && yearly ? savedPercent(monthly.amount_minor, yearly.amount_minor) : null;
  const running = runningFor(mine.all, null);
  const buying = useBuying();
  const wish = useWish();
  const [chosen, setChosen] = useState("");
  const given = user?.subscription_tier === "premium" && mine.all !== null && !running;
  const subscribe = (plan: Plan) => {
    setChosen(plan.id);
    buying.buy({ plan: plan.id }, () => beginCheckout(plan.id), wish);
  };
  return (
    <div className="page plans" data-testid="plans">
      <header className="plans-head">
        <h1>Premium</h1>
        <p className="muted">One subscription for everything that creators make for subscribers. Cancel when you like; you keep what is paid.</p>
      </header>
      <ul className="plans-gives">
        {PREMIUM_GIVES.map((what) => <li key={what}><Icon name="check" size={18} />{what}</li>)}
      </ul>
      {given && <p className="notice" role="status">You have Premium: it was given to you. A subscription of your own would begin beside it.</p>}
      {running && <Current one={running} />}
      <Trouble error={buying.problem} />
      <ul className="plans-list">
        {plans.map((plan) => (
          <li key={plan.id} className={running?.plan_id === plan.id ? "plan plan-mine" : "plan"} data-testid={`plan-${plan.id}`}>
            <h2>{plan.interval === "year" ? "Yearly" : "Monthly"}</h2>
            <p className="plan-price"><strong>{price(plan.amount_minor, plan.currency)}</strong> {INTERVALS[plan.interval]}</p>
            <p className="muted small">{plan.interval === "year" && saved ? `${saved} % less than month by month` : "Renews by itself until you cancel"}</p>
            {user === undefined || (user && mine.all === null && !mine.error) ? (
              <Skeleton height={44} />
            ) : !user ? (
              <ButtonLink to="/signin" state={{ from: "/premium" }} look="primary" wide data-testid="subscribe">Sign in to subscribe</ButtonLink>
            ) : running?.plan_id === plan.id ? (
              <p className="plan-current"><Icon name="check" size={18} />Your plan</p>
            ) : running ? (
              <ButtonLink to="/account#subscriptions" wide>Change to this plan</ButtonLink>
            ) : (
              <Button look="primary" wide busy={buying.busy && chosen === plan.id} disabled={buying.busy && chosen !== plan.id} onClick={() => subscribe(plan)} data-testid="subscribe">Subscribe<span className="sr-only"> {plan.interval === "year" ? "yearly" : "monthly"}</span></Button>
            )}
          </li>
        ))}
      </ul>
      {mine.error && user && <p className="form-error" role="alert">Whether you have a subscription could not be found out: {mine.error.message} <button type="button" className="link" onClick={mine.ask}>Try again</button></p>}
      <p className="muted small plans-foot">Prices are before tax. You pay on a page of Stripe; your card never comes to us. You can also <Link to="/">support single channels</Link>.</p>
    </div>
  );
}

function Current({ one }: { one: Subscription }) {
  const { words } = standingOf(one);
  return <p className="notice" role="status" data-testid="premium-current">You have Premium. {words} <Link to="/account#subscriptions">Manage it</Link></p>;
}

/** Where the person came from (a link's state), to go on there once it is paid. */
function useWish(): Wish {
  const { state } = useLocation() as { state: unknown };
  const [wish] = useState<Wish>(() => {
    const from = typeof state === "object" && state !== null && "from" in state && "name" in state ? (state as Record<"from" | "name", unknown>) : null;
    return from && typeof from.from === "string" && typeof from.name === "string" ? { path: from.from, name: from.name } : { path: "/", name: "" };
  });
  return wish;
}
