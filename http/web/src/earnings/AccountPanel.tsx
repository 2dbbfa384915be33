import { useEffect, useId, useRef, useState, type FormEvent } from "react";
import { useSearchParams } from "react-router";
import { asApiError } from "../api/errors";
import { beginOnboarding, refreshAccount, type PayoutAccount } from "../api/earnings";
import { Button } from "../ui/Button";
import { FieldNotes, FormError } from "../ui/Field";
import { Icon, type IconName } from "../ui/icons";
import { countries, likelyCountry } from "./countries";
import { ScheduleForm } from "./ScheduleForm";
import { requirementWords } from "./words";

const STATES: Record<PayoutAccount["state"], [IconName, string, string]> = {
  none: ["coin", "Not set up", "Say who you are and where your bank is, on Stripe's pages: we never see your documents or your account number. It takes about five minutes."],
  incomplete: ["warning", "Stripe needs more from you", "Nothing can be paid out until Stripe has what it asks for. What you earn is kept for you."],
  ready: ["check", "Ready", "Stripe pays to your bank account."],
  frozen: ["ban", "Payouts are stopped", "Write to support to hear why. What you earn is kept for you."],
};

/** Where the earnings go, and when. */
export function AccountPanel({ account, onNews }: { account: PayoutAccount; onNews: () => void }) {
  const heading = useId();
  const onboarding = useOnboarding();
  const back = useReturn(account, onNews, onboarding.begin);
  const [icon, title, words] = STATES[account.state];
  return (
    <section className="panel earnings-account" aria-labelledby={heading} data-testid="payout-account" data-state={account.state}>
      <h2 id={heading}>Where it goes</h2>
      <div className={`account-state account-${account.state}`} role="status">
        <Icon name={icon} size={22} />
        <div><strong>{title}</strong><p>{back.busy ? "Asking Stripe how far it is …" : words}</p></div>
      </div>
      {account.state === "incomplete" && account.requirements.length > 0 && (
        <ul className="account-needs" aria-label="What Stripe asks for">{requirementWords(account.requirements).map((each) => <li key={each}>{each}</li>)}</ul>
      )}
      <FormError message={onboarding.problem ?? back.problem} />
      {account.state === "none" && <CountryForm busy={onboarding.busy} onBegin={onboarding.begin} />}
      {account.state === "incomplete" && <div className="row"><Button look="primary" busy={onboarding.busy} onClick={() => onboarding.begin(account.country ?? "")} data-testid="onboard">Go on at Stripe</Button><Button busy={back.busy} icon="retry" onClick={back.ask}>I have done that</Button></div>}
      {(account.state === "ready" || account.state === "incomplete") && <ScheduleForm key={account.schedule} account={account} onNews={onNews} />}
      {account.state === "ready" && <div><Button small busy={onboarding.busy} onClick={() => onboarding.begin(account.country ?? "")}>Your details at Stripe</Button></div>}
    </section>
  );
}

function CountryForm({ busy, onBegin }: { busy: boolean; onBegin: (country: string) => void }) {
  const [country, setCountry] = useState(() => likelyCountry(navigator.languages));
  const [missing, setMissing] = useState(false);
  const id = useId();
  const error = missing && !country ? "Choose your country." : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (country) onBegin(country);
    else setMissing(true);
  };
  return (
    <form onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor={id}>Your country</label>
        <select id={id} className="input" value={country} aria-invalid={error ? true : undefined} aria-describedby={error ? `${id}-error` : `${id}-help`} onChange={(event) => setCountry(event.target.value)}>
          <option value="" disabled>Choose …</option>
          {countries().map(([code, name]) => <option key={code} value={code}>{name}</option>)}
        </select>
        <FieldNotes id={id} help="Where you or your business and your bank are. It cannot be changed later." error={error} />
      </div>
      <Button look="primary" type="submit" busy={busy} data-testid="onboard">Set up payouts at Stripe</Button>
    </form>
  );
}

/** To Stripe's pages. Whoever comes back with the back button finds the button as it was. */
function useOnboarding(leave: (url: string) => void = (url) => location.assign(url)) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const shown = (event: PageTransitionEvent) => event.persisted && setBusy(false);
    addEventListener("pageshow", shown);
    return () => removeEventListener("pageshow", shown);
  }, []);
  const begin = (country: string) => {
    setBusy(true);
    setProblem(null);
    beginOnboarding(country).then(
      ({ url }) => leave(url),
      (thrown: unknown) => {
        const error = asApiError(thrown);
        setProblem(error.fields["country"] ?? error.message);
        setBusy(false);
      },
    );
  };
  return { busy, problem, begin };
}

/** Stripe sends the browser back with `account=done`, or with `account=again` when its link was too old. */
function useReturn(account: PayoutAccount, onNews: () => void, again: (country: string) => void) {
  const [search, setSearch] = useSearchParams();
  const came = search.get("account");
  const [busy, setBusy] = useState(came === "done");
  const [problem, setProblem] = useState<string | null>(null);
  const handled = useRef(false);
  const ask = () => {
    setBusy(true);
    setProblem(null);
    refreshAccount()
      .then(onNews, (thrown: unknown) => setProblem(asApiError(thrown).message))
      .finally(() => setBusy(false));
  };
  useEffect(() => {
    if (!came || handled.current) return;
    handled.current = true;
    setSearch((had) => { had.delete("account"); return had; }, { replace: true });
    if (came === "done") ask();
    else if (came === "again" && account.country) again(account.country);
  });
  return { busy, problem, ask };
}
