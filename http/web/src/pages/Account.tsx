import { useState, type FormEvent } from "react";
import { Navigate } from "react-router";
import { becomeCreator, changePassword, rename } from "../api/calls";
import { asApiError } from "../api/errors";
import type { User } from "../api/types";
import { useTitle } from "../layout/useTitle";
import { SubscriptionsPanel } from "../money/SubscriptionsPanel";
import { useSession } from "../session/SessionProvider";
import { Avatar } from "../ui/Avatar";
import { Button, ButtonLink } from "../ui/Button";
import { Field, FormError, PasswordField } from "../ui/Field";
import { PageSkeleton } from "../ui/Skeleton";
import { useToast } from "../ui/Toasts";
import { fieldErrors, focusFirstInvalid } from "./AuthPage";

const ROLES = { free: "Viewer", premium: "Premium viewer", creator: "Creator", admin: "Administrator" };

export default function Account() {
  useTitle("Account");
  const { user } = useSession();
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: "/account" }} replace />;
  return (
    <div className="page account">
      <h1>Account</h1>
      <Profile user={user} />
      <SubscriptionsPanel />
      <CreatorPanel user={user} />
      <PasswordPanel user={user} />
      <SignOutPanel />
    </div>
  );
}

/** A form's life: send, show what is wrong, say when it worked. */
function useForm() {
  const [busy, setBusy] = useState(false);
  const [fields, setFields] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setFields({});
    setProblem(null);
    try {
      await work();
    } catch (thrown) {
      const error = asApiError(thrown);
      const beside = fieldErrors(error);
      setFields(beside);
      setProblem(Object.keys(beside).length ? null : error.message);
      focusFirstInvalid();
    } finally {
      setBusy(false);
    }
  };
  return { busy, fields, problem, run };
}

function Profile({ user }: { user: User }) {
  const { update } = useSession();
  const [name, setName] = useState(user.display_name);
  const form = useForm();
  const toast = useToast();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void form.run(async () => {
      update(await rename(name.trim()));
      toast("Your name is changed.");
    });
  };
  return (
    <section className="panel" aria-labelledby="profile">
      <div className="panel-head">
        <Avatar id={user.id} name={user.display_name} size={56} />
        <div>
          <h2 id="profile">{user.display_name}</h2>
          <p className="muted">{user.email} · {ROLES[user.role]}</p>
        </div>
      </div>
      <form onSubmit={submit} noValidate>
        <FormError message={form.problem} />
        <Field label="Name" name="display_name" autoComplete="nickname" maxLength={40} value={name} onValue={setName} error={form.fields["display_name"]} required />
        <Button type="submit" busy={form.busy} disabled={!name.trim() || name.trim() === user.display_name}>Change name</Button>
      </form>
    </section>
  );
}

function CreatorPanel({ user }: { user: User }) {
  const { begin } = useSession();
  const form = useForm();
  const toast = useToast();
  const creator = user.role === "creator" || user.role === "admin";
  const become = () =>
    form.run(async () => {
      begin(await becomeCreator());
      toast("You are a creator now. The studio is open.");
    });
  return (
    <section className="panel" aria-labelledby="creator">
      <div>
        <h2 id="creator">{creator ? "You can go live" : "Go live yourself"}</h2>
        <p className="muted">{creator ? "Everything for a stream is on one screen." : "Creators stream to everybody who wants to watch. It is free, and one press."}</p>
      </div>
      <FormError message={form.problem} />
      <div>
        {creator ? <ButtonLink to="/studio" icon="camera">Open the studio</ButtonLink> : <Button look="primary" busy={form.busy} onClick={() => void become()} data-testid="become-creator">Become a creator</Button>}
      </div>
    </section>
  );
}

function PasswordPanel({ user }: { user: User }) {
  const { begin } = useSession();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const form = useForm();
  const toast = useToast();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void form.run(async () => {
      begin(await changePassword(current, next));
      setCurrent("");
      setNext("");
      toast("Your password is changed. You are signed out everywhere else.");
    });
  };
  return (
    <section className="panel" aria-labelledby="password">
      <div>
        <h2 id="password">Password</h2>
        <p className="muted">Changing it signs you out everywhere else.</p>
      </div>
      <form onSubmit={submit} noValidate>
        <FormError message={form.problem} />
        <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
        <PasswordField label="Current password" name="current_password" autoComplete="current-password" value={current} onValue={setCurrent} error={form.fields["current_password"]} required />
        <PasswordField label="New password" name="new_password" help="8 characters or more." autoComplete="new-password" maxLength={128} value={next} onValue={setNext} error={form.fields["new_password"] ?? form.fields["password"]} required />
        <Button type="submit" busy={form.busy} disabled={!current || next.length < 8}>Change password</Button>
      </form>
    </section>
  );
}

function SignOutPanel() {
  const { signOut } = useSession();
  const form = useForm();
  return (
    <section className="panel" aria-labelledby="leave">
      <div>
        <h2 id="leave">Sign out</h2>
        <p className="muted">On this browser, in all its tabs.</p>
      </div>
      <FormError message={form.problem} />
      <div><Button icon="exit" busy={form.busy} onClick={() => void form.run(signOut)}>Sign out</Button></div>
    </section>
  );
}
