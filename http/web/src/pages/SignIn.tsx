import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import { signIn } from "../api/calls";
import { Button } from "../ui/Button";
import { Field, FormError, PasswordField } from "../ui/Field";
import { AuthPage, useAuthForm } from "./AuthPage";

export default function SignIn() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const form = useAuthForm(() => signIn({ email: email.trim(), password }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    form.submit({ email: email.trim() ? "" : "Enter your e-mail address.", password: password ? "" : "Enter your password." });
  };
  return (
    <AuthPage title="Sign in" intro="Welcome back. Pick up where the room is.">
      <form className="stack" onSubmit={submit} noValidate>
        <FormError message={form.problem} />
        <Field label="E-mail" name="email" type="email" autoComplete="username" inputMode="email" value={email} onValue={setEmail} error={form.fields["email"]} required />
        <PasswordField label="Password" name="password" autoComplete="current-password" value={password} onValue={setPassword} error={form.fields["password"]} required />
        <Button look="primary" type="submit" wide busy={form.busy} data-testid="submit">Sign in</Button>
      </form>
      <p className="muted">New here? <Link to="/signup" state={form.state}>Make an account</Link></p>
    </AuthPage>
  );
}
