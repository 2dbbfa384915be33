import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import { signUp } from "../api/calls";
import { Button } from "../ui/Button";
import { Field, FormError, PasswordField } from "../ui/Field";
import { AuthPage, useAuthForm } from "./AuthPage";

export default function SignUp() {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const form = useAuthForm(() => signUp({ email: email.trim(), password, display_name: name.trim() }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    form.submit({
      display_name: name.trim() ? "" : "Choose the name others will see.",
      email: /^\S+@\S+\.\S+$/.test(email.trim()) ? "" : "Enter an e-mail address, such as ada@example.org.",
      password: password.length >= 8 ? "" : "Use at least 8 characters.",
    });
  };
  return (
    <AuthPage title="Make an account" intro="To chat, and to go live yourself. Watching needs none.">
      <form className="stack" onSubmit={submit} noValidate>
        <FormError message={form.problem} />
        <Field label="Name" name="display_name" help="Shown beside what you say. You can change it later." autoComplete="nickname" maxLength={40} value={name} onValue={setName} error={form.fields["display_name"]} required />
        <Field label="E-mail" name="email" type="email" autoComplete="username" inputMode="email" value={email} onValue={setEmail} error={form.fields["email"]} required />
        <PasswordField label="Password" name="password" help="8 characters or more. A few words together are better than one odd one." autoComplete="new-password" maxLength={128} value={password} onValue={setPassword} error={form.fields["password"]} required />
        <Button look="primary" type="submit" wide busy={form.busy} data-testid="submit">Make the account</Button>
      </form>
      <p className="muted">Already have one? <Link to="/signin" state={form.state}>Sign in</Link></p>
    </AuthPage>
  );
}
