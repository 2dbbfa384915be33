/** For how long, and why: what a timeout, a warning and a ban ask before they happen. */
import { useState, type FormEvent } from "react";
import { Button } from "../ui/Button";
import "../ui/field.css";

export type Question = "timeout" | "warn" | "ban";

const DURATIONS: [number, string][] = [
  [10, "10 seconds"], [60, "1 minute"], [600, "10 minutes"], [3600, "1 hour"], [86_400, "1 day"], [604_800, "7 days"], [1_209_600, "14 days"],
];
const DO: Record<Question, string> = { timeout: "Time out", warn: "Warn", ban: "Ban" };

interface QuestionProps {
  question: Question;
  name: string;
  onBack: () => void;
  onAnswer: (answer: { seconds: number; reason: string }) => void;
}

export function LineQuestion({ question, name, onBack, onAnswer }: QuestionProps) {
  const [seconds, setSeconds] = useState(600);
  const [reason, setReason] = useState("");
  const needed = question === "warn";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!needed || reason.trim()) onAnswer({ seconds, reason: reason.trim() });
  };
  return (
    <form className="line-question" onSubmit={submit}>
      {question === "timeout" && (
        <label>For how long
          <select className="input" value={seconds} onChange={(event) => setSeconds(Number(event.target.value))}>
            {DURATIONS.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
          </select>
        </label>
      )}
      <label>{needed ? `What ${name} reads` : "Reason (moderators see it)"}
        <input className="input" value={reason} maxLength={500} required={needed} onChange={(event) => setReason(event.target.value)} />
      </label>
      <div className="row">
        <Button small onClick={onBack}>Back</Button>
        <Button small type="submit" look="danger">{DO[question]} {name}</Button>
      </div>
    </form>
  );
}
