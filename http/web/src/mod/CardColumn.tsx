/** Everything a moderator may know of one person in this channel, and what can be done about them. */
import { useCallback, useEffect, useRef, useState, type FormEvent } from "react";
import { addNote, fetchPerson, fetchSaid, removeNote, type PersonCard, type SaidMessage } from "../api/channels";
import { asApiError } from "../api/errors";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/Button";
import { clock, duration } from "../ui/time";
import { useNow } from "../ui/useNow";
import { useChannel, type Somebody } from "./ChannelContext";
import { RulingOption } from "./LogColumn";
import { PersonPicker } from "./PersonPicker";
import { day, moment, msOf } from "./words";

interface CardColumnProps {
  person: Somebody | null;
  /** Grows when something was done that the card shows. */
  news: number;
  drafts: Map<string, string>;
}

/** Moving through lines quickly asks for nobody's card. */
const PAUSE_MS = 200;

export function CardColumn({ person, news, drafts }: CardColumnProps) {
  const { openCard } = useChannel();
  return (
    <div className="desk-pane" data-testid="card">
      <PersonPicker label="Find somebody" onPick={openCard} />
      {person ? <Card key={person.id} person={person} news={news} drafts={drafts} /> : <p className="muted desk-hint">Pick a line in the chat, or find somebody by name.</p>}
    </div>
  );
}

function Card({ person, news, drafts }: { person: Somebody; news: number; drafts: Map<string, string> }) {
  const { id: channelId } = useChannel();
  const [card, setCard] = useState<PersonCard | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  const again = useCallback(() => setAsked((times) => times + 1), []);
  useEffect(() => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      fetchPerson(channelId, person.id, controller.signal).then(
        (answer) => {
          setCard(answer);
          setProblem(null);
        },
        (thrown: unknown) => !controller.signal.aborted && setProblem(asApiError(thrown).message),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [channelId, person.id, news, asked]);
  return (
    <article className="desk-card" aria-label={`User card of ${person.name}`}>
      <header className="row">
        <Avatar id={person.id} name={person.name} size={40} />
        <h4>{card?.user.name ?? person.name}</h4>
        {card && card.user.role !== "viewer" && <span className="tag">{card.user.role}</span>}
      </header>
      {problem && <p className="field-error" role="alert">{problem} <button type="button" className="desk-link" onClick={again}>Try again</button></p>}
      {!card && !problem && <p className="muted">Reading the card</p>}
      {card && <Facts card={card} />}
      {card && <CardActions card={card} />}
      {card && <Notes person={person} card={card} drafts={drafts} onChange={again} />}
      {card && card.rulings.length > 0 && (
        <section aria-label="What was done about them">
          <h5>Done about them</h5>
          <ul className="desk-rulings">{card.rulings.map((ruling) => <li key={ruling.id}><RulingOption ruling={ruling} /></li>)}</ul>
        </section>
      )}
      <Messages userId={person.id} />
    </article>
  );
}

function Facts({ card }: { card: PersonCard }) {
  const now = useNow(1000);
  const { restriction, warning, following_since: since } = card;
  const made = msOf(card.account_created_at);
  const left = restriction?.until ? (restriction.until - now) / 1000 : null;
  const counts = Object.entries(card.counts).filter(([, number]) => number > 0);
  return (
    <>
      {restriction && (left === null || left > 0) && (
        <p className="desk-restricted" data-testid="restriction">{restriction.kind === "ban" ? "Banned" : `Timed out for ${clock(left ?? 0)} more`}{restriction.reason && `: ${restriction.reason}`}</p>
      )}
      {warning && <p className="desk-restricted">Warned, not acknowledged yet: {warning.reason}</p>}
      <dl className="desk-facts">
        <div><dt>Account</dt><dd>{day(made)} ({duration((now - made) / 1000)})</dd></div>
        <div><dt>Follows</dt><dd>{since ? `since ${day(msOf(since))}` : "no"}</dd></div>
        {counts.map(([name, number]) => <div key={name}><dt>{name.replaceAll("_", " ")}</dt><dd>{number}</dd></div>)}
      </dl>
    </>
  );
}

function CardActions({ card }: { card: PersonCard }) {
  const { ask, run, may } = useChannel();
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const target = { userId: card.user.id, name: card.user.name };
  const now = (type: string, body: Record<string, unknown> = {}) => {
    setBusy(true);
    setProblem(null);
    run({ type, body: { user_id: target.userId, ...body } }).catch((thrown: unknown) => setProblem(asApiError(thrown).message)).finally(() => setBusy(false));
  };
  const { role } = card.user;
  return (
    <div className="row" role="group" aria-label={`Actions on ${target.name}`}>
      <Button small onClick={() => ask({ kind: "timeout", target }, "card")}>Time out</Button>
      <Button small onClick={() => ask({ kind: "warn", target }, "card")}>Warn</Button>
      {card.restriction && <Button small busy={busy} onClick={() => now("unban")} data-testid="unban">{card.restriction.kind === "ban" ? "Unban" : "End timeout"}</Button>}
      {card.restriction?.kind !== "ban" && <Button small look="danger" onClick={() => ask({ kind: "ban", target }, "card")}>Ban</Button>}
      {may("appoint") && (role === "viewer" || role === "vip") && <Button small look="quiet" busy={busy} onClick={() => now("vip", { on: role !== "vip" })}>{role === "vip" ? "No VIP any more" : "Make VIP"}</Button>}
      {may("appoint") && (role === "viewer" || role === "moderator") && <Button small look="quiet" busy={busy} onClick={() => now("moderator", { on: role !== "moderator" })}>{role === "moderator" ? "No moderator any more" : "Make moderator"}</Button>}
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </div>
  );
}

interface NotesProps {
  person: Somebody;
  card: PersonCard;
  drafts: Map<string, string>;
  onChange: () => void;
}

function Notes({ person, card, drafts, onChange }: NotesProps) {
  const { id: channelId } = useChannel();
  const [text, setText] = useState(() => drafts.get(person.id) ?? "");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const type = (value: string) => {
    setText(value);
    drafts.set(person.id, value);
  };
  const work = (doing: Promise<unknown>, then?: () => void) => {
    setBusy(true);
    setProblem(null);
    doing.then(() => { then?.(); onChange(); }, (thrown: unknown) => setProblem(asApiError(thrown).message)).finally(() => setBusy(false));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() && !busy) work(addNote(channelId, person.id, text.trim()), () => type(""));
  };
  return (
    <section aria-label="Notes">
      <h5>Notes, shared by the moderators</h5>
      <ul className="desk-notes">
        {card.notes.map((note) => (
          <li key={note.id}>
            <p>{note.text}</p>
            <p className="muted small">{note.author.name}, {moment(msOf(note.at))} <button type="button" className="desk-link" onClick={() => work(removeNote(channelId, person.id, note.id))} aria-label={`Delete the note of ${note.author.name}`}>Delete</button></p>
          </li>
        ))}
      </ul>
      <form className="desk-inline" onSubmit={submit}>
        <input className="input" value={text} maxLength={500} aria-label={`Note on ${person.name}`} placeholder="Write a note" data-note="" onChange={(event) => type(event.target.value)} />
        <Button small type="submit" busy={busy}>Add</Button>
      </form>
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </section>
  );
}

function Messages({ userId }: { userId: string }) {
  const { id: channelId } = useChannel();
  const [said, setSaid] = useState<SaidMessage[]>([]);
  const [cursor, setCursor] = useState<string | null | undefined>(undefined);
  const [problem, setProblem] = useState<string | null>(null);
  const asking = useRef(false);
  const more = () => {
    if (asking.current) return;
    asking.current = true;
    setProblem(null);
    fetchSaid(channelId, userId, cursor ?? null)
      .then(
        (page) => {
          setSaid((before) => [...before, ...page.messages]);
          setCursor(page.next_cursor);
        },
        (thrown: unknown) => setProblem(asApiError(thrown).message),
      )
      .finally(() => {
        asking.current = false;
      });
  };
  return (
    <section aria-label="What they said here">
      <h5>What they said here</h5>
      <ul className="desk-said">
        {said.map((message) => (
          <li key={`${message.stream_id} ${message.id}`}><time dateTime={new Date(message.at).toISOString()}>{moment(msOf(message.at))}</time> {message.removed ? <><del>{message.text}</del> <em className="desk-why">removed</em></> : message.text}</li>
        ))}
      </ul>
      {cursor === null && said.length === 0 && <p className="muted">Nothing yet.</p>}
      {problem && <p className="field-error" role="alert">{problem}</p>}
      {cursor !== null && <Button small look="quiet" onClick={more}>{cursor === undefined ? "Show their messages" : "Older ones"}</Button>}
    </section>
  );
}
