/** The desk of administrators: somebody's money, and what was done with it. */
import { useCallback, useEffect, useRef, useState, type FormEvent } from "react";
import { useSearchParams } from "react-router";
import { asApiError, type ApiError } from "../api/errors";
import { lookUp, type Dossier } from "../api/paymentsAdmin";
import { useTitle } from "../layout/useTitle";
import { useShelf } from "../money/useShelf";
import { NotFound } from "../pages/NotFound";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink } from "../ui/Button";
import { Field } from "../ui/Field";
import { Message } from "../ui/Message";
import { PageSkeleton, Skeleton } from "../ui/Skeleton";
import { AuditLog } from "./AuditLog";
import { CustomerView } from "./CustomerView";
import { FreshSignIn, useFresh } from "./FreshSignIn";
import "../earnings/earnings.css";
import "../money/money.css";
import "../studio/studio.css";
import "./admin.css";

export default function PaymentsAdmin() {
  const { user } = useSession();
  if (user === undefined) return <PageSkeleton />;
  return user?.role === "admin" ? <FreshSignIn><Desk /></FreshSignIn> : <NotFound />;
}

function Desk() {
  useTitle("Payments desk");
  const [search, setSearch] = useSearchParams();
  const sought = search.get("q") ?? "";
  const { state } = useShelf();
  const [deeds, setDeeds] = useState(0);
  if (state === "off") {
    return <Message icon="coin" title="Payments are off here" action={<ButtonLink to="/">See what is live</ButtonLink>} testId="payments-off">Without a key of Stripe nothing is sold, so there is nothing to look up.</Message>;
  }
  return (
    <div className="page desk-payments">
      <h1>Payments desk</h1>
      <SearchForm key={`search ${sought}`} sought={sought} onSought={(text) => setSearch(text ? { q: text } : {})} />
      {sought && <Customer key={`customer ${sought}`} sought={sought} onDeed={() => setDeeds((count) => count + 1)} />}
      <AuditLog news={deeds} onLookUp={(id) => setSearch({ q: id })} />
    </div>
  );
}

function SearchForm({ sought, onSought }: { sought: string; onSought: (text: string) => void }) {
  const [text, setText] = useState(sought);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSought(text.trim());
  };
  return (
    <form role="search" aria-label="Customers" className="desk-search" onSubmit={submit}>
      <Field label="Customer" help="An e-mail, a name, or any id of ours or Stripe's: of a person, an order, a payment, a refund, a payout …" value={text} onValue={setText} maxLength={254} autoComplete="off" spellCheck={false} />
      <Button look="primary" icon="search" type="submit" data-testid="look-up">Look up</Button>
    </form>
  );
}

function Customer({ sought, onDeed }: { sought: string; onDeed: () => void }) {
  const { dossier, error, busy, ask } = useDossier(sought, onDeed);
  if (error && !dossier) {
    const unknown = error.code === "payment.customer_not_found";
    return (
      <Message icon={unknown ? "search" : error.code === "payment.sign_in_again" ? "key" : "offline"} level={2} title={unknown ? "Nobody found" : "This could not be looked up"} testId="no-customer"
        action={unknown ? undefined : <Button look="primary" icon="retry" busy={busy} onClick={ask}>Try again</Button>}>
        {unknown ? `Nobody here fits “${sought}”. A name has to be written in full.` : error.message}
      </Message>
    );
  }
  if (!dossier) return <div className="stack" role="status" aria-label="Looking up"><Skeleton height={96} /><Skeleton height={220} /></div>;
  return (
    <>
      {error && <p className="timeline-late" role="status">This is not up to date: {error.message}</p>}
      <CustomerView dossier={dossier} onChanged={ask} />
    </>
  );
}

/** Each look is written into the log, so it is not repeated but when something was done. */
function useDossier(sought: string, onLooked: () => void) {
  const fresh = useFresh();
  const [state, setState] = useState<{ dossier: Dossier | null; error: ApiError | null; busy: boolean }>({ dossier: null, error: null, busy: true });
  const told = useRef(onLooked);
  told.current = onLooked;
  const turn = useRef(0);
  const ask = useCallback(() => {
    const mine = ++turn.current;
    setState((was) => ({ ...was, busy: true }));
    fresh(() => lookUp(sought)).then(
      (dossier) => {
        if (mine !== turn.current) return;
        setState({ dossier, error: null, busy: false });
        told.current();
      },
      (thrown: unknown) => mine === turn.current && setState((was) => ({ ...was, error: asApiError(thrown), busy: false })),
    );
  }, [fresh, sought]);
  useEffect(() => {
    ask();
    return () => void (turn.current += 1);
  }, [ask]);
  return { ...state, ask };
}
