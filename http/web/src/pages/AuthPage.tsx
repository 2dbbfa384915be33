/** What sign-in and sign-up share: the frame, errors beside their fields, and going back to where one was. */
import { useEffect, useState, type ReactNode } from "react";
import { useLocation, useNavigate } from "react-router";
import { asApiError, type ApiError } from "../api/errors";
import type { SessionAnswer } from "../api/types";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { Logo } from "../ui/icons";
import "./auth.css";

export function AuthPage({ title, intro, children }: { title: string; intro: string; children: ReactNode }) {
  useTitle(title);
  return (
    <div className="page auth-page">
      <section className="narrow auth-card">
        <Logo size={40} />
        <div>
          <h1>{title}</h1>
          <p className="muted">{intro}</p>
        </div>
        {children}
      </section>
    </div>
  );
}

/** Refusals that are about one field, by their code. */
const FIELD_OF: Record<string, string> = { "account.email_taken": "email", "account.weak_password": "password", "auth.wrong_password": "current_password" };

export function fieldErrors(error: ApiError): Record<string, string> {
  const field = FIELD_OF[error.code];
  return field ? { [field]: error.message } : error.fields;
}

/** The page's own address only: a path from elsewhere must not lead out of the site. */
export function returnPath(state: unknown): string {
  const from = typeof state === "object" && state !== null && "from" in state ? String(state.from) : "/";
  return /^\/(?![/\\])/.test(from) && !from.startsWith("/sign") ? from : "/";
}

export function useAuthForm(call: () => Promise<SessionAnswer>) {
  const { user, begin } = useSession();
  const navigate = useNavigate();
  const { state } = useLocation() as { state: unknown };
  const [fields, setFields] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (user) void navigate(returnPath(state), { replace: true });
  }, [user, navigate, state]);

  const submit = (checked: Record<string, string>) => {
    const wrong = Object.fromEntries(Object.entries(checked).filter(([, text]) => text));
    setFields(wrong);
    setProblem(null);
    if (Object.keys(wrong).length) {
      focusFirstInvalid();
      return;
    }
    setBusy(true);
    call()
      .then(begin)
      .catch((thrown: unknown) => {
        const error = asApiError(thrown);
        const beside = fieldErrors(error);
        setFields(beside);
        setProblem(Object.keys(beside).length ? null : error.message);
        focusFirstInvalid();
      })
      .finally(() => setBusy(false));
  };
  return { fields, problem, busy, submit, state };
}

/** After the errors are on the page. */
export function focusFirstInvalid(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
