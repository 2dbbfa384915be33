/** A deed that needs a reason: the reason stays in the log. */
import { useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { asApiError } from "../api/errors";
import { focusFirstInvalid } from "../pages/AuthPage";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { describedBy, FieldNotes, FormError } from "../ui/Field";
import { useToast } from "../ui/Toasts";
import { useFresh } from "./FreshSignIn";

interface ReasonProps {
  open: boolean;
  title: string;
  /** The button's words. */
  deed: string;
  /** What is said when it is done. */
  done: string;
  run: (reason: string) => Promise<unknown>;
  onClose: () => void;
  onDone: () => void;
  children: ReactNode;
}

export function ReasonDialog(props: ReasonProps) {
  return (
    <Dialog title={props.title} open={props.open} onClose={props.onClose}>
      {props.open && <Question {...props} />}
    </Dialog>
  );
}

function Question({ deed, done, run, onClose, onDone, children }: ReasonProps) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const doing = useDeed(done, onClose, onDone);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(!reason.trim());
    if (reason.trim()) doing.run(() => run(reason.trim()));
    else focusFirstInvalid();
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p className="muted">{children}</p>
      <FormError message={doing.problem} />
      <ReasonField value={reason} onValue={setReason} error={missing && !reason.trim() ? "Say why: it stays in the log." : undefined} />
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="danger" type="submit" busy={doing.busy} data-testid="confirm">{deed}</Button>
      </footer>
    </form>
  );
}

export function ReasonField({ value, onValue, error }: { value: string; onValue: (value: string) => void; error?: string | undefined }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Reason</label>
      <textarea id={id} className="input" rows={2} maxLength={500} value={value} aria-invalid={error ? true : undefined} aria-describedby={describedBy(id, "help", error)} onChange={(event) => onValue(event.target.value)} />
      <FieldNotes id={id} help="For whoever reads the log after you." error={error} />
    </div>
  );
}

/** One deed at a time, after a fresh sign-in; says what came of it. */
export function useDeed(done: string, onClose: () => void, onDone: () => void) {
  const fresh = useFresh();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const going = useRef(false);
  const run = (work: () => Promise<unknown>) => {
    if (going.current) return;
    going.current = true;
    setBusy(true);
    setProblem(null);
    fresh(work).then(
      () => {
        toast(done);
        onDone();
        onClose();
      },
      (thrown: unknown) => {
        const error = asApiError(thrown);
        setProblem(Object.values(error.fields)[0] ?? error.message);
        setBusy(false);
        going.current = false;
      },
    );
  };
  return { busy, problem, run };
}
