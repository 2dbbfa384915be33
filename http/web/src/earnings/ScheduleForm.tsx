import { useState, type FormEvent } from "react";
import { asApiError } from "../api/errors";
import { changeSchedule, type PayoutAccount, type Schedule } from "../api/earnings";
import { Button } from "../ui/Button";
import { FormError } from "../ui/Field";
import { useToast } from "../ui/Toasts";
import { SCHEDULES } from "./words";

/** When to be paid without asking. */
export function ScheduleForm({ account, onNews }: { account: PayoutAccount; onNews: () => void }) {
  const toast = useToast();
  const [chosen, setChosen] = useState<Schedule>(account.schedule);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    changeSchedule(chosen)
      .then(
        (changed) => {
          toast(changed.schedule === "manual" ? "You are paid when you ask for it." : `You are paid ${changed.schedule_words}${changed.next_payout_words ? `: next on ${changed.next_payout_words}` : ""}.`);
          onNews();
        },
        (thrown: unknown) => setProblem(asApiError(thrown).message),
      )
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={save}>
      <fieldset className="field">
        <legend>When you are paid</legend>
        <div className="choices earnings-schedules">
          {SCHEDULES.map(([schedule, name, words]) => (
            <label key={schedule} className="choice">
              <input type="radio" name="schedule" value={schedule} checked={chosen === schedule} onChange={() => setChosen(schedule)} />
              <strong>{name}</strong>
              <span>{words}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {account.next_payout_words && <p className="muted small" data-testid="next-payout">Next on {account.next_payout_words}.</p>}
      <FormError message={problem} />
      {chosen !== account.schedule && <Button type="submit" busy={busy} data-testid="save-schedule">Save</Button>}
    </form>
  );
}
