/** Where one writes. A refused text stays here with the reason; a wait counts down in the button itself. */
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { asApiError } from "../api/errors";
import { Icon } from "../ui/icons";
import { messageLength, waitSeconds } from "./text";
import "../ui/field.css";

interface ComposerProps {
  maxLength: number;
  disabled: boolean;
  /** Rejects with the refusal. */
  onSend: (text: string) => Promise<void>;
}

/** The counter appears when this much is left. */
const COUNT_FROM = 80;

export function Composer({ maxLength, disabled, onSend }: ComposerProps) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [waitMs, setWaitMs] = useCountdown();
  const field = useRef<HTMLTextAreaElement>(null);
  const left = maxLength - messageLength(text);
  const empty = messageLength(text) === 0;

  useEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 132)}px`;
  }, [text]);

  const send = () => {
    if (empty || left < 0 || disabled || waitMs > 0) return;
    const sent = text;
    setText("");
    setProblem(null);
    onSend(sent.trim()).catch((thrown: unknown) => {
      const error = asApiError(thrown);
      // What was typed meanwhile is kept; the refused text comes back before it.
      setText((typed) => (typed ? `${sent} ${typed}` : sent));
      setProblem(error.message);
      setWaitMs(error.retryAfterMs ?? 0);
      field.current?.focus();
    });
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      setText("");
      setProblem(null);
    }
  };

  return (
    <form className="composer" onSubmit={onSubmit}>
      <p id="chat-problem" className="composer-problem" role="alert" data-testid="chat-problem" hidden={!problem}>{problem}</p>
      <div className="composer-row">
        <textarea
          ref={field} rows={1} className="input" value={text} aria-label="Message" placeholder="Say something" enterKeyHint="send" autoComplete="off"
          aria-describedby="chat-problem chat-left" aria-invalid={problem || left < 0 ? true : undefined} data-testid="chat-input"
          onChange={(event) => { setText(event.target.value.replace(/[\r\n]+/g, " ")); if (problem && !waitMs) setProblem(null); }}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="composer-send" aria-disabled={empty || left < 0 || disabled || waitMs > 0} aria-label={waitMs ? `Send in ${waitSeconds(waitMs)} seconds` : "Send"} data-testid="chat-send">
          {waitMs > 0 ? <span>{waitSeconds(waitMs)}</span> : <Icon name="send" size={20} />}
        </button>
      </div>
      <p id="chat-left" className={left < 0 ? "composer-left composer-over" : "composer-left"} hidden={left > COUNT_FROM}>
        {left >= 0 ? `Characters left: ${left}` : `Characters too many: ${-left}`}
      </p>
    </form>
  );
}

/** Milliseconds that are still to wait, counting down to 0. */
function useCountdown(): [number, (ms: number) => void] {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(0);
  const left = Math.max(0, until - now);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [left > 0, until]);
  const wait = (ms: number) => {
    setNow(Date.now());
    setUntil(Date.now() + ms);
  };
  return [left, wait];
}
