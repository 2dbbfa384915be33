/** What one pays for: each subscription in words, what one can do with it, and the bills. */
import { useEffect, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { asApiError } from "../api/errors";
import { cancelSubscription, openPortal, resumeSubscription, type Plan, type Shelf, type Subscription } from "../api/payments";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Skeleton } from "../ui/Skeleton";
import { useToast } from "../ui/Toasts";
import { day, INTERVALS, price } from "./amounts";
import { ChangePlan } from "./ChangePlan";
import { GiftsReceived } from "./GiftsReceived";
import { Invoices } from "./Invoices";
import { planWords, running, standingOf } from "./standing";
import { troubleWords } from "./Trouble";
import { useChannelName } from "./useChannelName";
import { useMine, type Mine } from "./useMine";
import { askShelf, useShelf } from "./useShelf";
import "./money.css";

export function SubscriptionsPanel() {
  const stock = useShelf();
  const panel = useRef<HTMLElement>(null);
  const { hash } = useLocation();
  const there = stock.state !== "off";
  useEffect(() => {
    if (there && hash === "#subscriptions") panel.current?.scrollIntoView({ block: "start" });
  }, [hash, there]);
  if (!there) return null;
  return (
    <section className="panel" aria-labelledby="subscriptions" ref={panel} data-testid="subscriptions">
      <div>
        <h2 id="subscriptions">Subscriptions</h2>
        <p className="muted">What you pay for, and until when you have it.</p>
      </div>
      {stock.state === "loading" && <Skeleton height={72} />}
      {stock.state === "failed" && <Again words={stock.error.message} onAgain={askShelf} />}
      {stock.state === "open" && <List shelf={stock.shelf} />}
    </section>
  );
}

function List({ shelf }: { shelf: Shelf }) {
  const mine = useMine(true);
  const [past, setPast] = useState(false);
  if (!mine.all) return mine.error ? <Again words={mine.error.message} onAgain={mine.ask} /> : <Skeleton height={72} />;
  const now = mine.all.filter(running);
  const over = mine.all.filter((one) => !running(one));
  return (
    <>
      {now.length === 0 && <p data-testid="no-subscriptions">You have no subscription. <Link to="/premium">See what Premium gives you</Link>, or support a channel from its page.</p>}
      <ul className="subs">{now.map((one) => <One key={one.id} one={one} shelf={shelf} mine={mine} />)}</ul>
      <GiftsReceived shelf={shelf} />
      {over.length > 0 && (
        <>
          <button type="button" className="link" aria-expanded={past} onClick={() => setPast(!past)}>{past ? "Hide" : "Show"} {over.length === 1 ? "one that is over" : `${over.length} that are over`}</button>
          {past && <ul className="subs">{over.map((one) => <One key={one.id} one={one} shelf={shelf} mine={mine} />)}</ul>}
        </>
      )}
      {mine.all.length > 0 && <Portal />}
      <Invoices />
    </>
  );
}

function Again({ words, onAgain }: { words: string; onAgain: () => void }) {
  return <p className="form-error" role="alert">{words} <button type="button" className="link" onClick={onAgain}>Try again</button></p>;
}

function One({ one, shelf, mine }: { one: Subscription; shelf: Shelf; mine: Mine }) {
  const plan = shelf.plans.find((each) => each.id === one.plan_id);
  const channel = useChannelName(one.creator_id);
  const name = one.creator_id === null ? (plan ? planWords(plan) : "Premium") : `${channel ?? "A channel"}${plan ? `, ${planWords(plan).toLowerCase()}` : ""}`;
  const standing = standingOf(one);
  const deeds = useDeeds(one, mine, name);
  const [asking, setAsking] = useState<"cancel" | "change" | null>(null);
  const portal = usePortal();
  const others = shelf.plans.filter((each) => plan && each.scope === plan.scope && each.id !== plan.id);
  return (
    <li className="sub" data-testid="subscription" data-kind={standing.kind} data-plan={one.plan_id}>
      <div className="sub-words">
        <h3>{one.creator_id && channel ? <Link to={`/creators/${one.creator_id}`}>{name}</Link> : name} <span className={`badge sub-${standing.kind}`}>{standing.badge}</span></h3>
        <p className="muted">{standing.words}</p>
        {plan && <p className="muted small">{price(one.amount_minor, one.currency)} {INTERVALS[plan.interval]}, before tax · since {day(one.created_at)}</p>}
      </div>
      <div className="row">
        {standing.kind === "owed" && <Button small look="primary" busy={portal.busy} onClick={portal.open} data-testid="mend-card">Mend the card</Button>}
        {standing.may.resume && <Button small look="primary" busy={deeds.busy} onClick={deeds.resume} data-testid="resume">Keep it after all</Button>}
        {standing.may.change && others.length > 0 && <Button small onClick={() => setAsking("change")} data-testid="change-plan">Change plan</Button>}
        {standing.may.cancel && <Button small onClick={() => setAsking("cancel")} data-testid="cancel">Cancel<span className="sr-only"> {name}</span></Button>}
      </div>
      {(deeds.problem ?? portal.problem) && <p className="form-error" role="alert">{deeds.problem ?? portal.problem}</p>}
      <Confirm title={`Cancel ${name}?`} open={asking === "cancel"} onClose={() => setAsking(null)} confirm="Cancel it" cancel="Keep it" busy={deeds.busy} onConfirm={() => deeds.cancel(() => setAsking(null))}>
        <p>{standing.kind === "owed" ? `It is not renewed any more. You keep it until ${day(one.grace_until ?? one.current_period_end)} at the latest.` : `You keep everything until ${day(one.current_period_end)}. It then ends, and nothing more is charged. Until then you can take this back.`}</p>
        {deeds.problem && <p className="form-error" role="alert">{deeds.problem}</p>}
      </Confirm>
      <ChangePlan open={asking === "change"} one={one} current={plan as Plan} others={others} onClose={() => setAsking(null)} onChanged={mine.ask} />
    </li>
  );
}

/** Cancel and resume: pressed twice is the same as once. */
function useDeeds(one: Subscription, mine: Mine, name: string) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const toast = useToast();
  const { renew } = useSession();
  const run = (work: Promise<Subscription>, words: (now: Subscription) => string, done?: () => void) => {
    setBusy(true);
    setProblem(null);
    work
      .then(
        (now) => {
          toast(words(now));
          done?.();
          mine.ask();
          void renew();
        },
        (thrown: unknown) => {
          setProblem(notDone(thrown));
          mine.ask(); // what is shown may be why: it was over already, or done in another tab
        },
      )
      .finally(() => setBusy(false));
  };
  return {
    busy,
    problem,
    cancel: (done: () => void) => run(cancelSubscription(one.id), (now) => `${name} is canceled. You keep it until ${day(now.current_period_end)}.`, done),
    resume: () => run(resumeSubscription(one.id), () => `${name} goes on.`),
  };
}

const notDone = (thrown: unknown) => {
  const error = asApiError(thrown);
  return error.code === "payment.stripe" ? "The payment service does not answer just now. Nothing has changed. Try again in a moment." : troubleWords(error);
};

/** Stripe's page of one's cards; the back button finds the button as it was. */
function usePortal() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const open = () => {
    setBusy(true);
    setProblem(null);
    openPortal().then(({ url }) => location.assign(url), (thrown: unknown) => {
      setProblem(notDone(thrown));
      setBusy(false);
    });
  };
  useEffect(() => {
    const shown = (event: PageTransitionEvent) => event.persisted && setBusy(false);
    addEventListener("pageshow", shown);
    return () => removeEventListener("pageshow", shown);
  }, []);
  return { busy, problem, open };
}

function Portal() {
  const { busy, problem, open } = usePortal();
  return (
    <div className="stack">
      {problem && <p className="form-error" role="alert">{problem}</p>}
      <div className="row">
        <Button busy={busy} onClick={open} data-testid="portal">Cards and addresses</Button>
        <ButtonLink to="/premium" look="quiet">See the plans</ButtonLink>
      </div>
      <p className="muted small">Opens a page of Stripe. Your cards are known there and nowhere else.</p>
    </div>
  );
}
