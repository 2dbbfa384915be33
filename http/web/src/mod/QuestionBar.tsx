/** What has to be said before somebody is silenced or warned. It keeps whom it is about, whatever happens in the list. */
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { asApiError } from "../api/errors";
import { Button } from "../ui/Button";
import { answered, parseDuration, TIMEOUTS, type Command, type Question } from "./deeds";

interface QuestionBarProps {
  question: Question;
  /** Rejects with the refusal, which then stands here, with everything that was typed. */
  onAnswer: (command: Command, question: Question) => Promise<void>;
  onClose: () => void;
}

const TITLES = { timeout: "Time out", ban: "Ban", warn: "Warn" } as const;

export function QuestionBar({ question, onAnswer, onClose }: QuestionBarProps) {
  const { kind, target } = question;
  const [reason, setReason] = useState("");
  const [custom, setCustom] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const customField = useRef<HTMLInputElement>(null);

  useEffect(() => form.current?.querySelector<HTMLElement>("[data-first]")?.focus(), []);

  const answer = (seconds: number) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    onAnswer(answered(question, reason.trim(), seconds), question).then(onClose, (thrown: unknown) => {
      setProblem(asApiError(thrown).message);
      setBusy(false);
    });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (kind !== "timeout") {
      if (kind === "warn" && !reason.trim()) setProblem("Say what the warning is for.");
      else answer(0);
      return;
    }
    const seconds = parseDuration(custom);
    if (seconds === null) setProblem("A length such as 90s, 5m, 2h or 3d; at most 14 days.");
    else answer(seconds);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onClose();
      return;
    }
    const typing = event.target instanceof HTMLInputElement;
    if (kind !== "timeout" || typing || !/^[1-5]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const choice = TIMEOUTS[Number(event.key) - 1];
    if (choice) answer(choice.seconds);
    else customField.current?.focus();
  };

  return (
    <form ref={form} className="desk-question" aria-label={`${TITLES[kind]} ${target.name}`} onSubmit={submit} onKeyDown={onKeyDown} noValidate data-testid="question">
      <p><strong>{TITLES[kind]} {target.name}?</strong>{target.text && <q className="desk-quote">{target.text}</q>}</p>
      {kind === "timeout" && (
        <div className="row">
          {TIMEOUTS.map(({ seconds, short, words }, index) => (
            <Button key={seconds} small data-first={index === 0 ? "" : undefined} aria-label={words} onClick={() => answer(seconds)}><kbd aria-hidden="true">{index + 1}</kbd> {short}</Button>
          ))}
        </div>
      )}
      {kind === "timeout" && (
        <div className="desk-inline">
          <label>Another length <kbd aria-hidden="true">5</kbd><input ref={customField} className="input" value={custom} placeholder="5m, 2h, 3d" onChange={(event) => setCustom(event.target.value)} /></label>
          <Button small type="submit" busy={busy}>Time out</Button>
        </div>
      )}
      <label className="desk-label">{kind === "warn" ? "What for (they read this)" : "Reason (only moderators see it)"}
        <input className="input" value={reason} maxLength={500} data-first={kind === "warn" ? "" : undefined} onChange={(event) => setReason(event.target.value)} />
      </label>
      {problem && <p className="field-error" role="alert">{problem}</p>}
      <div className="row">
        {kind !== "timeout" && (
          <Button small look="danger" type="submit" busy={busy} data-first={kind === "ban" ? "" : undefined} data-testid="question-confirm">{TITLES[kind]} <kbd aria-hidden="true">Enter</kbd></Button>
        )}
        <Button small look="quiet" onClick={onClose}>Cancel <kbd aria-hidden="true">Esc</kbd></Button>
      </div>
    </form>
  );
}
