import { useState, type FormEvent } from "react";
import { useSearchParams } from "react-router";
import type { Span } from "../api/earnings";
import { focusFirstInvalid } from "../pages/AuthPage";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import { LENGTHS, periodOf, spanProblem } from "./period";

/** Which days the figures below are of. It stands in the address, so that it can be kept and shared. */
export function PeriodChoice({ span }: { span: Span }) {
  const [search, setSearch] = useSearchParams();
  const period = periodOf(search);
  const days = "days" in period ? period.days : null;
  const [open, setOpen] = useState(days === null);
  return (
    <div className="earnings-period">
      <div className="row" role="group" aria-label="Days shown">
        {LENGTHS.map((length) => (
          <button key={length} type="button" className="chip" aria-pressed={!open && days === length} onClick={() => { setOpen(false); setSearch({ days: String(length) }, { replace: true, preventScrollReset: true }); }}>
            {length} days
          </button>
        ))}
        <button type="button" className="chip" aria-pressed={open} aria-expanded={open} onClick={() => setOpen(true)} data-testid="own-days">Other days</button>
      </div>
      {open && <OwnDays key={`${span.from} ${span.to}`} span={span} onChosen={(from, to) => setSearch({ from, to }, { replace: true, preventScrollReset: true })} />}
    </div>
  );
}

function OwnDays({ span, onChosen }: { span: Span; onChosen: (from: string, to: string) => void }) {
  const [from, setFrom] = useState(span.from);
  const [to, setTo] = useState(span.to);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wrong = spanProblem(from, to);
    setProblem(wrong);
    if (wrong) focusFirstInvalid();
    else onChosen(from, to);
  };
  return (
    <form className="earnings-own" onSubmit={submit} noValidate>
      <Field label="From" type="date" value={from} onValue={setFrom} error={problem ?? undefined} />
      <Field label="To" type="date" value={to} onValue={setTo} />
      <Button type="submit">Show</Button>
    </form>
  );
}
