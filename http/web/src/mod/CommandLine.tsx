/** Where a moderator writes: to the chat, or a slash command. A refused line stays, with the reason. */
import { useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { findPeople } from "../api/channels";
import { ApiError, asApiError } from "../api/errors";
import { Button } from "../ui/Button";
import { randomId } from "../session/device";
import { isSaid } from "../realtime/fold";
import { useChannel, type ChannelDesk } from "./ChannelContext";
import { completions, parseLine } from "./commandLine";

export function CommandLine() {
  const desk = useChannel();
  const [line, setLine] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const offers = completions(line);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const sent = line.trim();
    if (!sent || busy) return;
    setBusy(true);
    setProblem(null);
    say(desk, sent)
      .then(
        // What was typed while it was on its way is kept.
        () => setLine((now) => (now.trim() === sent ? "" : now)),
        (thrown: unknown) => setProblem(asApiError(thrown).message),
      )
      .finally(() => setBusy(false));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Tab" && !event.shiftKey && offers.length > 0 && `/${offers[0]!.name}` !== line) {
      event.preventDefault();
      setLine(`/${offers[0]!.name} `);
    } else if (event.key === "Escape") {
      field.current?.blur();
      event.stopPropagation();
      field.current?.closest("section")?.querySelector<HTMLElement>("[role=listbox]")?.focus();
    }
  };
  return (
    <form className="desk-command" onSubmit={submit}>
      {offers.length > 0 && (
        <ul id={`${id}-offers`} className="desk-offers">
          {offers.map(({ name, usage, what }) => (
            <li key={name}><button type="button" onClick={() => { setLine(`/${name} `); field.current?.focus(); }}><code>/{name} {usage}</code> <span className="muted">{what}</span></button></li>
          ))}
        </ul>
      )}
      {problem && <p id={`${id}-problem`} className="field-error" role="alert" data-testid="command-problem">{problem}</p>}
      <div className="desk-inline">
        <input
          ref={field} className="input" value={line} maxLength={600} autoComplete="off" data-command="" data-testid="command"
          aria-label={desk.live ? "Message or slash command" : "Slash command"} placeholder={desk.live ? "Say something, or /ban name" : "/ban name reason"}
          aria-describedby={problem ? `${id}-problem` : undefined} aria-invalid={problem ? true : undefined}
          onChange={(event) => { setLine(event.target.value); setProblem(null); }} onKeyDown={onKeyDown}
        />
        <Button small type="submit" busy={busy}>Send</Button>
      </div>
    </form>
  );
}

const plainRefusal = (message: string) => new ApiError(400, { code: "command.malformed", message });

async function say(desk: ChannelDesk, line: string): Promise<void> {
  const { live, tell, run, id } = desk;
  if (!line.startsWith("/")) {
    if (!live?.room.joined) throw plainRefusal("Nothing is live here, so nobody would read it.");
    return live.send(line);
  }
  if (live?.room.joined) {
    const done = await run({ type: "slash", body: { id: randomId(), line, users: peopleIn(desk, line) } });
    tell({ kind: "done", words: done.message || "Done" });
    return;
  }
  const parsed = parseLine(line);
  if ("problem" in parsed) throw plainRefusal(parsed.problem);
  const body = { ...parsed.command.body };
  if (parsed.name !== null) body["user_id"] = await idOf(id, parsed.name);
  await run({ type: parsed.command.type, body });
}

/** Whom a name in the line means: those who wrote lately, the latest first. At most ten fit the event. */
function peopleIn({ live }: ChannelDesk, line: string): Record<string, string> {
  const found: Record<string, string> = {};
  const words = line.toLocaleLowerCase();
  for (const entry of [...(live?.room.entries ?? [])].reverse()) {
    const said = isSaid(entry) ? entry : entry.kind === "removed" ? entry.was : undefined;
    if (said && words.includes(said.user.name.toLocaleLowerCase()) && Object.keys(found).length < 10) found[said.user.name] ??= said.user.id;
  }
  return found;
}

async function idOf(channelId: string, name: string): Promise<string> {
  const { people } = await findPeople(channelId, name);
  const same = people.filter((person) => person.name.toLocaleLowerCase() === name.toLocaleLowerCase());
  if (same.length === 1) return same[0]!.id;
  throw plainRefusal(same.length === 0 ? `There is nobody called ${name}.` : `Several people are called ${name}. Find them in the user card.`);
}
