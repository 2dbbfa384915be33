/** All that payments know of one person, and what can be done about it. */
import { useState, type ReactNode } from "react";
import { endComp, type Dossier, type KnownOrder, type KnownPayment, type KnownSubscription, type Right } from "../api/paymentsAdmin";
import { day, price } from "../money/amounts";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/Button";
import { DataTable, type Column } from "../ui/DataTable";
import { DeedList } from "./AuditLog";
import { CompDialog } from "./CompDialog";
import { PayoutsDesk } from "./PayoutsDesk";
import { ReasonDialog } from "./ReasonDialog";
import { RefundDialog } from "./RefundDialog";
import { isOver, rightWords, scopeWords } from "./words";

type Doing = { what: "refund"; payment: KnownPayment } | { what: "comp" } | { what: "end"; right: Right } | null;

const PAYMENT_WORDS = { subscription: "Subscription", gift: "Gift", paid_message: "Paid message", premium: "Premium" };

const Id = ({ children }: { children: ReactNode }) => <code className="desk-id">{children}</code>;

export function CustomerView({ dossier, onChanged }: { dossier: Dossier; onChanged: () => void }) {
  const { user } = dossier;
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => setDoing(null);
  return (
    <section className="stack" aria-label={`Customer ${user.display_name}`} data-testid="customer">
      <div className="panel">
        <div className="panel-head desk-person">
          <Avatar id={user.id} name={user.display_name} size={48} />
          <div>
            <h2>{user.display_name}</h2>
            <p className="muted">{user.email} · {user.role} · {user.subscription_tier === "premium" ? "has premium" : "no premium"} · here since {day(user.created_at)}</p>
            <p><Id>{user.id}</Id> {dossier.stripe_customer_id && <Id>{dossier.stripe_customer_id}</Id>}</p>
          </div>
          <Button icon="gift" onClick={() => setDoing({ what: "comp" })} data-testid="comp">Give a subscription</Button>
        </div>
      </div>
      <Payments rows={dossier.payments} onRefund={(payment) => setDoing({ what: "refund", payment })} />
      <Part title="Subscriptions" rows={dossier.subscriptions} columns={SUBSCRIPTIONS} keyOf={(one) => one.id} empty="No subscription so far." />
      <Rights rows={dossier.rights} onEnd={(right) => setDoing({ what: "end", right })} />
      <Part title="Orders" rows={dossier.orders} columns={ORDERS} keyOf={(one) => one.id} empty="Nothing was ordered so far." />
      <PayoutsDesk dossier={dossier} onChanged={onChanged} />
      <section className="panel earnings-panel" aria-label="What was done for this customer"><h2>What was done for them</h2><DeedList deeds={dossier.deeds} /></section>
      <RefundDialog payment={doing?.what === "refund" ? doing.payment : null} name={user.display_name} onClose={close} onDone={onChanged} />
      <CompDialog open={doing?.what === "comp"} user={user} onClose={close} onDone={onChanged} />
      <ReasonDialog
        open={doing?.what === "end"} title="Take back what was given?" deed="Take back" done={`${user.display_name} no longer has it.`} onClose={close} onDone={onChanged}
        run={(reason) => endComp(user.id, doing?.what === "end" ? doing.right.source : "", reason)}
      >
        {user.display_name} loses {doing?.what === "end" ? scopeWords(doing.right.scope) : "it"} at once, unless something else gives the same.
      </ReasonDialog>
    </section>
  );
}

interface PartProps<Row> {
  title: string;
  rows: Row[];
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
  empty: string;
  testId?: string;
}

function Part<Row>({ title, rows, columns, keyOf, empty, testId }: PartProps<Row>) {
  return (
    <section className="panel earnings-panel" aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? <p className="muted">{empty}</p> : <DataTable caption={`${title}, the newest first`} columns={columns} rows={rows} keyOf={keyOf} {...(testId ? { testId } : {})} />}
    </section>
  );
}

function Payments({ rows, onRefund }: { rows: KnownPayment[]; onRefund: (payment: KnownPayment) => void }) {
  const columns: Column<KnownPayment>[] = [
    { title: "Payment", cell: ({ source, at }) => <>{source ? PAYMENT_WORDS[source] : "Payment"}<span className="table-note">{day(at)}</span></> },
    { title: "Reference", cell: ({ reference }) => <Id>{reference}</Id> },
    { title: "Paid", figure: true, cell: ({ paid_minor, currency }) => price(paid_minor, currency) },
    { title: "Still here", figure: true, cell: ({ left_minor, currency }) => price(left_minor, currency) },
    {
      title: "Action",
      cell: (payment) => payment.left_minor > 0
        ? <Button small look="danger" onClick={() => onRefund(payment)} data-testid="refund" aria-label={`Refund ${price(payment.paid_minor, payment.currency)} of ${day(payment.at)}`}>Refund</Button>
        : <span className="muted">Given back</span>,
    },
  ];
  return <Part title="Payments" rows={rows} columns={columns} keyOf={(one) => one.reference} empty="Nothing was paid so far." testId="payment-row" />;
}

function Rights({ rows, onEnd }: { rows: Right[]; onEnd: (right: Right) => void }) {
  const now = Date.now();
  const columns: Column<Right>[] = [
    { title: "Right", cell: ({ scope, level }) => <>{scopeWords(scope)}{scope !== "premium" && <span className="table-note">Tier {level}</span>}</> },
    { title: "From", cell: (right) => rightWords(right, now) },
    { title: "Source", cell: ({ source }) => <Id>{source}</Id> },
    { title: "Action", cell: (right) => right.source.startsWith("comp:") && !isOver(right, now) && <Button small look="danger" onClick={() => onEnd(right)} data-testid="end-comp">Take back</Button> },
  ];
  return <Part title="Rights" rows={rows} columns={columns} keyOf={(one) => `${one.scope} ${one.source}`} empty="No rights beyond those of everybody." testId="right-row" />;
}

const SUBSCRIPTIONS: Column<KnownSubscription>[] = [
  { title: "Plan", cell: ({ plan_id, creator_id }) => <>{plan_id}{creator_id && <span className="table-note">of <Id>{creator_id}</Id></span>}</> },
  { title: "State", cell: ({ status, stripe_status, cancel_at_period_end }) => `${status}${cancel_at_period_end ? ", will not renew" : ""} (Stripe: ${stripe_status})` },
  { title: "Period ends", cell: ({ current_period_end }) => day(current_period_end) },
  { title: "At Stripe", cell: ({ stripe_subscription_id }) => <Id>{stripe_subscription_id}</Id> },
];

const ORDER_KINDS: Record<KnownOrder["kind"], string> = { subscription: "Subscription", gift: "Gift", paid_message: "Paid message" };

const ORDERS: Column<KnownOrder>[] = [
  { title: "Order", cell: ({ kind, quantity, plan_id, created_at }) => <>{ORDER_KINDS[kind]}{quantity > 1 && ` × ${quantity}`}<span className="table-note">{day(created_at)}{plan_id && ` · ${plan_id}`}</span></> },
  { title: "Amount", figure: true, cell: ({ amount_minor, quantity, currency }) => price(amount_minor * quantity, currency) },
  { title: "State", cell: ({ state }) => state },
  { title: "Ids", cell: ({ id, stripe_payment_intent_id, stripe_session_id }) => <><Id>{id}</Id> {(stripe_payment_intent_id ?? stripe_session_id) && <Id>{stripe_payment_intent_id ?? stripe_session_id}</Id>}</> },
];
