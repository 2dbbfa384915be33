/** A labelled field: help under the label, the error beside the field, both read out with it. */
import { useId, useState, type InputHTMLAttributes, type KeyboardEvent } from "react";
import { IconButton } from "./Button";
import "./field.css";

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> {
  label: string;
  help?: string | undefined;
  error?: string | undefined;
  onValue: (value: string) => void;
}

export function Field({ label, help, error, onValue, id, ...input }: FieldProps) {
  const made = useId();
  const name = id ?? made;
  return (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      <input
        {...input}
        id={name}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy(name, help, error)}
        onChange={(event) => onValue(event.target.value)}
      />
      <FieldNotes id={name} help={help} error={error} />
    </div>
  );
}

export function PasswordField({ label, help, error, onValue, id, ...input }: FieldProps) {
  const made = useId();
  const name = id ?? made;
  const [shown, setShown] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const notice = (event: KeyboardEvent) => setCapsLock(event.getModifierState("CapsLock"));
  return (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      <div className="input-with-button">
        <input
          {...input}
          id={name}
          className="input"
          type={shown ? "text" : "password"}
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={error ? true : undefined}
          aria-describedby={describedBy(name, help, error)}
          onChange={(event) => onValue(event.target.value)}
          onKeyDown={notice}
          onKeyUp={notice}
          onBlur={() => setCapsLock(false)}
        />
        <IconButton icon={shown ? "hidden" : "eye"} label={shown ? "Hide password" : "Show password"} aria-pressed={shown} onClick={() => setShown(!shown)} />
      </div>
      <p className="field-warning" role="status" hidden={!capsLock}>{capsLock && "Caps Lock is on."}</p>
      <FieldNotes id={name} help={help} error={error} />
    </div>
  );
}

export const describedBy = (id: string, help?: string, error?: string) =>
  [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;

export function FieldNotes({ id, help, error }: { id: string; help?: string | undefined; error?: string | undefined }) {
  return (
    <>
      {help && <p id={`${id}-help`} className="field-help">{help}</p>}
      {error && <p id={`${id}-error`} className="field-error" role="alert">{error}</p>}
    </>
  );
}

/** What is wrong with the form as a whole. */
export function FormError({ message }: { message: string | null | undefined }) {
  return message ? <p className="form-error" role="alert">{message}</p> : null;
}
