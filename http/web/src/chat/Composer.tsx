/**
 * Where one writes. A refused text stays here with the reason; a wait counts down in the button itself. `:`, `@` and `/`
 * offer emotes, people and commands: arrows choose, Tab or Enter takes, Esc closes.
 */
import { lazy, Suspense, useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { asApiError, type ApiError } from "../api/errors";
import type { Said } from "../realtime/fold";
import type { SendOptions } from "../realtime/useRoom";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { commandHelp, usersIn, type Known } from "./completion";
import { explain } from "./refusals";
import { Suggestions } from "./Suggestions";
import { messageLength, waitSeconds } from "./text";
import { useCompletion } from "./useCompletion";
import { useCountdown } from "./useCountdown";
import "../ui/field.css";

const EmotePicker = lazy(() => import("./EmotePicker"));

interface ComposerProps {
  maxLength: number;
  disabled: boolean;
  /** Rejects with the refusal. */
  onSend: (text: string, options?: SendOptions) => Promise<void>;
  /** A line that begins with a slash; rejects with the refusal. */
  onCommand?: (line: string, users: Record<string, string>) => Promise<void>;
  known?: Known;
  /** When slow mode lets one write again, in ms of this clock; null when it does already. */
  slowUntil?: number | null;
  replyTo?: Said | null;
  onReplyDone?: () => void;
}

/** The counter appears when this much is left. */
const COUNT_FROM = 80;
const NOTHING: Known = { emotes: [], people: [], commands: [] };

export function Composer({ maxLength, disabled, onSend, onCommand, known = NOTHING, slowUntil = null, replyTo = null, onReplyDone }: ComposerProps) {
  const [text, setText] = useState("");
  const [refused, setRefused] = useState<{ error: ApiError; until: number } | null>(null);
  const [picking, setPicking] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const people = useRef(new Map<string, string>());
  const listId = useId();
  const isCommand = onCommand !== undefined && text.startsWith("/");
  const refusedMs = useCountdown(refused?.until ?? null);
  const slowMs = useCountdown(isCommand ? null : slowUntil);
  const waitMs = Math.max(refusedMs, slowMs);
  const left = maxLength - messageLength(text);
  const empty = messageLength(text) === 0;
  const offered = useCompletion(text, setText, field, known, (person) => people.current.set(person.name, person.id));
  const help = isCommand && !offered.completion ? commandHelp(text, known.commands) : null;

  useGrowing(field, text);
  useEffect(() => {
    if (replyTo) field.current?.focus();
  }, [replyTo]);

  const deliver = (sent: string): Promise<void> => {
    if (isCommand) return onCommand!(sent, usersIn(sent, people.current));
    const reply = replyTo ? { user_id: replyTo.user.id, id: replyTo.id } : null;
    return reply ? onSend(sent, { replyTo: reply }) : onSend(sent);
  };
  const send = () => {
    if (empty || left < 0 || disabled || waitMs > 0) return;
    const sent = text;
    setText("");
    setRefused(null);
    setPicking(false);
    deliver(sent.trim()).then(
      () => onReplyDone?.(),
      (thrown: unknown) => {
        const error = asApiError(thrown);
        // What was typed meanwhile is kept; the refused text comes back before it.
        setText((typed) => (typed ? `${sent} ${typed}` : sent));
        setRefused({ error, until: Date.now() + (error.retryAfterMs ?? 0) });
        field.current?.focus();
      },
    );
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || offered.onKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      if (picking) return setPicking(false);
      if (replyTo && onReplyDone) return onReplyDone();
      setText("");
      setRefused(null);
    }
  };
  const insert = (words: string) => {
    const at = field.current?.selectionStart ?? text.length;
    const before = text.slice(0, at);
    const spaced = before && !before.endsWith(" ") ? ` ${words}` : words;
    setText(`${before}${spaced} ${text.slice(at)}`);
    field.current?.focus();
  };
  const closePicker = () => {
    setPicking(false);
    field.current?.focus();
  };

  return (
    <form className="composer" onSubmit={onSubmit}>
      {replyTo && <ReplyBar line={replyTo} onCancel={onReplyDone} />}
      <p id="chat-problem" className="composer-problem" role="alert" data-testid="chat-problem" hidden={!refused}>{refused && explain(refused.error)}</p>
      {help && <p className="composer-help" data-testid="command-help"><code>{help.usage}</code> {help.summary}</p>}
      <Suggestions id={listId} offered={offered} />
      {picking && (
        <Suspense fallback={<div className="picker" role="status" aria-label="Loading the emotes" />}>
          <EmotePicker emotes={known.emotes} onPick={insert} onClose={closePicker} />
        </Suspense>
      )}
      <div className="composer-row">
        <IconButton icon="smile" label="Emotes" aria-expanded={picking} onClick={() => setPicking(!picking)} data-testid="emotes-toggle" />
        <textarea
          ref={field} rows={1} className="input" value={text} aria-label="Message" placeholder="Say something" enterKeyHint="send" autoComplete="off"
          aria-describedby="chat-problem chat-left" aria-invalid={refused || left < 0 ? true : undefined} data-testid="chat-input"
          aria-autocomplete="list" aria-controls={offered.completion ? listId : undefined} aria-activedescendant={offered.completion ? `${listId}-${offered.at}` : undefined}
          onChange={(event) => { setText(event.target.value.replace(/[\r\n]+/g, " ")); if (refused && !refusedMs) setRefused(null); }}
          onKeyDown={onKeyDown} onSelect={offered.onCaret} onBlur={offered.close}
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

/** The field is as high as its text, up to five lines. */
function useGrowing(field: React.RefObject<HTMLTextAreaElement | null>, text: string) {
  useEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 132)}px`;
  }, [field, text]);
}

function ReplyBar({ line, onCancel }: { line: Said; onCancel: (() => void) | undefined }) {
  return (
    <div className="reply-bar" data-testid="reply-bar">
      <Icon name="reply" size={16} />
      <p>Answer to <b>{line.user.name}</b>: {line.text}</p>
      <IconButton icon="close" label="Do not answer" onClick={onCancel} />
    </div>
  );
}
