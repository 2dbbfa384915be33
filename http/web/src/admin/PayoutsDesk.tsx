import { useState } from "react";
import { freeze, unfreeze, type Dossier, type KnownPayout } from "../api/paymentsAdmin";
import { PAYOUT_WORDS, requirementWords } from "../earnings/words";
import { day, price } from "../money/amounts";
import { Button } from "../ui/Button";
import { DataTable, type Column } from "../ui/DataTable";
import { ReasonDialog } from "./ReasonDialog";

const COLUMNS: Column<KnownPayout>[] = [
  { title: "Payout", cell: ({ asked_at, asked_by }) => <>{day(asked_at)}<span className="table-note">asked for by {asked_by === "creator" ? "them" : `the ${asked_by}`}</span></> },
  { title: "Amount", figure: true, cell: ({ amount_minor, currency }) => price(amount_minor, currency) },
  { title: "State", cell: ({ state, failure }) => `${PAYOUT_WORDS[state]}${failure ? ` (${failure})` : ""}` },
  { title: "At Stripe", cell: ({ stripe_transfer_id }) => stripe_transfer_id && <code className="desk-id">{stripe_transfer_id}</code> },
];

/** Somebody as a creator: what they have, what they were paid, and whether they may be. */
export function PayoutsDesk({ dossier, onChanged }: { dossier: Dossier; onChanged: () => void }) {
  const { user, payout_account: account, balances, payouts } = dossier;
  const [open, setOpen] = useState(false);
  const creates = account !== null || balances.length > 0 || user.role === "creator" || user.role === "admin";
  if (!creates) return null;
  const frozen = account?.frozen_at ?? null;
  return (
    <section className="panel earnings-panel" aria-label="As a creator" data-testid="payouts-desk" data-frozen={frozen !== null}>
      <div className="earnings-panel-head">
        <h2>As a creator</h2>
        <Button small look={frozen ? "plain" : "danger"} icon={frozen ? "check" : "ban"} onClick={() => setOpen(true)} data-testid={frozen ? "unfreeze" : "freeze"}>{frozen ? "Let payouts go on" : "Stop payouts"}</Button>
      </div>
      {frozen && <p className="earnings-debt"><strong>Payouts are stopped</strong> since {day(frozen)}: {account?.frozen_reason}</p>}
      <p className="muted">{accountWords(account)}</p>
      {balances.length > 0 && (
        <dl className="earnings-sums">
          {balances.flatMap(({ currency, ...of }) => [
            [`Available, ${currency.toUpperCase()}`, of.available_minor], ["Pending", of.pending_minor], ["Held back", of.reserve_minor], ["On its way", of.transit_minor], ["Paid out", of.paid_minor],
          ].map(([words, minor]) => <div key={`${currency}${words}`}><dt>{words}</dt><dd>{price(Number(minor), currency)}</dd></div>))}
        </dl>
      )}
      {payouts.length > 0 && <DataTable caption="Payouts, the newest first" columns={COLUMNS} rows={payouts} keyOf={(one) => one.id} />}
      <ReasonDialog
        open={open} title={frozen ? "Let payouts go on?" : "Stop all payouts?"} deed={frozen ? "Let payouts go on" : "Stop payouts"}
        done={frozen ? `${user.display_name} is paid again.` : `Nothing more is paid out to ${user.display_name}.`}
        onClose={() => setOpen(false)} onDone={onChanged} run={(reason) => (frozen ? unfreeze : freeze)(user.id, reason)}
      >
        {frozen ? "What was asked for before is sent now." : "Nothing more is sent until somebody lets it go on. They see that payouts are stopped, not why."}
      </ReasonDialog>
    </section>
  );
}

function accountWords(account: Dossier["payout_account"]): string {
  if (!account?.stripe_account_id) return "Has not set up where earnings go.";
  if (account.payouts_enabled) return `Stripe pays to ${account.stripe_account_id} (${account.country ?? "no country"}), ${account.schedule}.`;
  const needs = requirementWords(account.requirements);
  return `Stripe does not pay to ${account.stripe_account_id} yet${needs.length ? `: it asks for ${needs.join(", ").toLowerCase()}` : ""}.`;
}
