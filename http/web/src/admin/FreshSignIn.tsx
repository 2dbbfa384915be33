/**
 * What moves other people's money asks for the password once more. Whatever was to be done waits for it and is then done
 * by itself; when several things wait, the password is asked for once.
 */
import { createContext, useCallback, useContext, useRef, useState, type FormEvent, type ReactNode } from "react";
import { ApiError, asApiError } from "../api/errors";
import { confirmPassword } from "../api/paymentsAdmin";
import { focusFirstInvalid } from "../pages/AuthPage";
import { useSession } from "../session/SessionProvider";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { FormError, PasswordField } from "../ui/Field";

type Fresh = <Answer>(work: () => Promise<Answer>) => Promise<Answer>;

const FreshContext = createContext<Fresh>((work) => work());

/** Wraps a call: asks for the password when the server wants it, then calls again. Rejects as the call did when nobody gives it. */
export const useFresh = () => useContext(FreshContext);

const needsPassword = (thrown: unknown) => thrown instanceof ApiError && thrown.code === "payment.sign_in_again";

export function FreshSignIn({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const waiting = useRef<{ answer: Promise<boolean>; settle: (given: boolean) => void } | null>(null);

  const ask = useCallback(() => {
    if (!waiting.current) {
      let settle = (_: boolean) => {};
      const answer = new Promise<boolean>((resolve) => (settle = resolve));
      waiting.current = { answer, settle };
      setOpen(true);
    }
    return waiting.current.answer;
  }, []);
  const settle = useCallback((given: boolean) => {
    waiting.current?.settle(given);
    waiting.current = null;
    setOpen(false);
  }, []);
  const fresh = useCallback<Fresh>(
    async (work) => {
      try {
        return await work();
      } catch (thrown) {
        if (!needsPassword(thrown) || !(await ask())) throw thrown;
        return work();
      }
    },
    [ask],
  );
  return (
    <FreshContext value={fresh}>
      {children}
      <Dialog title="Confirm your password" open={open} onClose={() => settle(false)}>
        {open && <PasswordForm onGiven={() => settle(true)} onClose={() => settle(false)} />}
      </Dialog>
    </FreshContext>
  );
}

function PasswordForm({ onGiven, onClose }: { onGiven: () => void; onClose: () => void }) {
  const { user } = useSession();
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const wrong = problem?.code === "auth.wrong_password";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy || !password) return;
    setBusy(true);
    setProblem(null);
    confirmPassword(password).then(onGiven, (thrown: unknown) => {
      setProblem(asApiError(thrown));
      setBusy(false);
      focusFirstInvalid();
    });
  };
  return (
    <form className="stack" onSubmit={submit} noValidate data-testid="fresh-sign-in">
      <p className="muted">This is about other people's money. Your password opens the desk for ten minutes.</p>
      <FormError message={wrong ? null : problem?.message} />
      <input type="hidden" name="username" autoComplete="username" value={user?.email ?? ""} readOnly />
      <PasswordField label="Your password" name="password" autoComplete="current-password" autoFocus value={password} onValue={setPassword} error={wrong ? "This is not your password." : undefined} required />
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" busy={busy} data-testid="confirm-password">Confirm</Button>
      </footer>
    </form>
  );
}
