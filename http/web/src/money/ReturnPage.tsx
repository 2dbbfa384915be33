/** Where one comes back to from the payment page: asks how it stands until that is known, and says it plainly. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link, Navigate, useLocation, useParams, useSearchParams } from "react-router";
import { asApiError, type ApiError } from "../api/errors";
import { fetchOrder, fetchPaidMessages, type Order, type PaidMessage } from "../api/payments";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink } from "../ui/Button";
import type { IconName } from "../ui/icons";
import { Message } from "../ui/Message";
import { PageSkeleton } from "../ui/Skeleton";
import { price } from "./amounts";
import { asksAgain, pauseMs, stageOf, type Stage } from "./returning";
import { recallWish, type Wish } from "./wish";
import "./money.css";

export default function ReturnPage() {
  const { orderId = "" } = useParams();
  const { user } = useSession();
  const { pathname, search } = useLocation();
  useTitle("Your payment");
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: pathname + search }} replace />;
  return <Payment key={orderId} orderId={orderId} />;
}

function Payment({ orderId }: { orderId: string }) {
  const [search] = useSearchParams();
  const left = search.get("left") === "1";
  const { order, error, stage, ask } = useOrder(orderId, left);
  const { renew } = useSession();
  const wish = recallWish(orderId);
  const told = useRef(false);
  useEffect(() => {
    if (stage !== "paid" || told.current) return;
    told.current = true;
    void renew();
  }, [stage, renew]);
  const shown = SHOWN[stage];
  return (
    <div data-testid="payment" data-state={stage} aria-live="polite" aria-busy={stage === "looking" || stage === "waiting"}>
      <Message icon={shown.icon} title={shown.title(order)} action={<Onward stage={stage} order={order} wish={wish} onAsk={ask} />}>
        {shown.words(order, error)}
        {stage === "paid" && order?.kind === "paid_message" && <MessageOutcome orderId={order.id} />}
      </Message>
    </div>
  );
}

interface Shown {
  icon: IconName;
  title: (order: Order | null) => string;
  words: (order: Order | null, error: ApiError | null) => ReactNode;
}

const THANKS = { subscription: "You are subscribed", gift: "Your gift is paid", paid_message: "Your message is paid" };

const SHOWN: Record<Stage, Shown> = {
  looking: { icon: "clock", title: () => "One moment", words: () => "Looking up your payment." },
  waiting: { icon: "clock", title: () => "One moment", words: () => "Waiting for word of your payment. This takes a second or two, and you need not wait: what is paid counts all the same." },
  slow: { icon: "clock", title: () => "This takes longer than usual", words: () => "There is no word of your payment yet. You can leave this page: what is paid counts all the same." },
  paid: { icon: "check", title: (order) => (order ? THANKS[order.kind] : "Paid"), words: (order) => order && paidWords(order) },
  left: { icon: "close", title: () => "You left the payment page", words: () => "Nothing was charged. The page stays open for a while, if you change your mind." },
  open: { icon: "clock", title: () => "Not paid yet", words: (order) => <>Nothing was charged so far.{order && ` The payment page is open until ${new Date(order.expires_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.`} If you paid in another tab, this page will say so.</> },
  expired: { icon: "clock", title: () => "The payment page has closed", words: () => "It was open for two hours and nothing was paid. Nothing was charged. You can begin again." },
  canceled: { icon: "close", title: () => "This order was given up", words: () => "Another one took its place, or it was closed. Nothing was charged for it." },
  refunded: { icon: "retry", title: () => "This was paid back", words: (order) => <>{order && price(order.amount_minor, order.currency)} went back to the card you paid with. Banks show it within some days.</> },
  unknown: { icon: "help", title: () => "There is no such order", words: () => "Perhaps it was made by another account. Your own payments are in your account." },
  unreachable: { icon: "offline", title: () => "Your payment could not be looked up", words: (_, error) => <>{error?.message} Whatever you paid counts all the same; this page asks again by itself.</> },
};

function paidWords(order: Order): string {
  if (order.kind === "gift") return order.quantity === 1 ? "Thank you. Your gift is on its way, and the room hears of it." : `Thank you. ${order.quantity} subscriptions are on their way to viewers of the room.`;
  if (order.kind === "paid_message") return "Thank you. ";
  return order.creator_id ? "Thank you. You have the subscriber badge in this channel's chat, and its premium streams and videos are open to you." : "Thank you. Premium videos and streams of every channel are open to you, from now on and on all your devices.";
}

function Onward({ stage, order, wish, onAsk }: { stage: Stage; order: Order | null; wish: Wish | null; onAsk: () => void }) {
  const back = wish ? { to: wish.path, words: wish.name ? `Back to ${wish.name}` : "Start watching" } : order?.creator_id ? { to: `/creators/${order.creator_id}`, words: "To the channel" } : { to: "/", words: "Start watching" };
  const goOn = order?.url && (stage === "left" || stage === "open") ? <a className="button button-primary" href={order.url} data-testid="go-on-paying"><span className="button-label">Go on paying</span></a> : null;
  if (stage === "looking" || stage === "waiting") return null;
  if (stage === "unreachable" || stage === "slow") return <><Button look="primary" icon="retry" onClick={onAsk}>Ask again</Button><Link to="/account#subscriptions">Your account</Link></>;
  if (goOn) return <>{goOn}<ButtonLink to={back.to} data-testid="onward">{wish?.name ? back.words : "Not now"}</ButtonLink></>;
  return (
    <>
      {stage !== "unknown" && <ButtonLink to={back.to} look="primary" data-testid="onward">{stage === "paid" ? back.words : wish?.name ? back.words : "To the start page"}</ButtonLink>}
      <ButtonLink to="/account#subscriptions">Your account</ButtonLink>
    </>
  );
}

const OUTCOMES: Partial<Record<PaidMessage["state"], string>> = {
  paid: "It is on its way to the chat.",
  held: "A moderator looks at it before it is shown. If it is not shown, you get your money back.",
  shown: "It is in the chat.",
  denied: "It was not shown, and your money is on its way back to you.",
  withdrawn: "It was withdrawn, and your money went back to you.",
};

/** Paid is not yet shown: what became of the message itself. */
function MessageOutcome({ orderId }: { orderId: string }) {
  const [words, setWords] = useState("It is on its way to the chat.");
  useEffect(() => {
    let asked = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const left = new AbortController();
    const look = () => {
      fetchPaidMessages(left.signal).then(
        ({ messages }) => {
          const state = messages.find((one) => one.order_id === orderId)?.state;
          if (state && OUTCOMES[state]) setWords(OUTCOMES[state]);
          if ((!state || state === "draft" || state === "paid" || state === "held") && asked < 30) timer = setTimeout(look, pauseMs(++asked));
        },
        () => undefined, // it is paid; the chat itself shows the rest
      );
    };
    look();
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [orderId]);
  return <span data-testid="message-outcome">{words}</span>;
}

/** Asks with growing pauses while the order may still change, and at once when the page is looked at again. */
function useOrder(orderId: string, left: boolean) {
  const [order, setOrder] = useState<Order | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [asked, setAsked] = useState(0);
  const [now, setNow] = useState(0);
  const stage = stageOf({ order, error, left, asked });
  const more = asksAgain(stage);
  const ask = () => setNow((count) => count + 1);

  useEffect(() => {
    const gone = new AbortController();
    fetchOrder(orderId, gone.signal)
      .then(
        (found) => {
          setOrder(found);
          setError(null);
        },
        (thrown: unknown) => {
          if (!gone.signal.aborted) setError(asApiError(thrown));
        },
      )
      .finally(() => {
        if (!gone.signal.aborted) setAsked((count) => count + 1);
      });
    return () => gone.abort();
  }, [orderId, now]);

  useEffect(() => {
    if (!more || asked === 0) return;
    const timer = setTimeout(ask, pauseMs(asked));
    return () => clearTimeout(timer);
  }, [more, asked]);

  useEffect(() => {
    if (!more) return;
    const looked = () => document.visibilityState === "visible" && ask();
    addEventListener("online", looked);
    document.addEventListener("visibilitychange", looked);
    return () => {
      removeEventListener("online", looked);
      document.removeEventListener("visibilitychange", looked);
    };
  }, [more]);
  return { order, error, stage, ask };
}
