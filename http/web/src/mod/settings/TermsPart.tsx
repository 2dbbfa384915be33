/** Words that are never let through, and words that always are. A whole list can be pasted, one term a line. */
import { useCallback, useState, type FormEvent } from "react";
import { addTerm, fetchTerms, removeTerm, type NewTerm, type Term } from "../../api/channels";
import { asApiError } from "../../api/errors";
import { Button } from "../../ui/Button";
import { useChannel } from "../ChannelContext";
import { useDoing, usePages } from "../useAnswer";
import { Problem } from "./Problem";
import { pastedTerms } from "./terms";

export function TermsPart(_: { news: number }) {
  const { id } = useChannel();
  const question = useCallback((cursor: string | null, signal: AbortSignal) => fetchTerms(id, cursor, signal).then((page) => ({ items: page.terms, next: page.next_cursor ?? null })), [id]);
  const terms = usePages(question);
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLocaleLowerCase();
  const shown = terms.items.filter((term) => term.text.toLocaleLowerCase().includes(wanted));
  return (
    <div className="desk-form">
      <AddTerms known={terms.items} onAdded={terms.again} />
      <Problem message={terms.problem} onAgain={terms.again} />
      {(terms.items.length > 5 || filter) && <label className="desk-label">Filter<input className="input" type="search" value={filter} onChange={(event) => setFilter(event.target.value)} /></label>}
      {shown.length > 0 && (
        <div className="desk-table">
          <table>
            <thead><tr><th scope="col">Term</th><th scope="col">Does</th><th scope="col">Told</th><th scope="col"><span className="sr-only">Remove</span></th></tr></thead>
            <tbody>{shown.map((term) => <TermRow key={term.id} term={term} onGone={terms.again} />)}</tbody>
          </table>
        </div>
      )}
      {shown.length === 0 && !terms.busy && !terms.problem && <p className="muted">{wanted ? "No term like that." : "No terms yet."}</p>}
      {terms.more && <Button small look="quiet" busy={terms.busy} onClick={terms.older}>Show more</Button>}
    </div>
  );
}

function TermRow({ term, onGone }: { term: Term; onGone: () => void }) {
  const { id } = useChannel();
  const { busy, problem, doing } = useDoing();
  return (
    <tr>
      <th scope="row"><code>{term.text}</code>{problem && <p className="field-error" role="alert">{problem}</p>}</th>
      <td>{term.kind === "allowed" ? "Lets through" : term.action === "hold" ? "Holds" : "Refuses"}</td>
      <td>{term.public ? "Yes" : "No"}</td>
      <td><Button small look="quiet" busy={busy} aria-label={`Remove ${term.text}`} onClick={() => doing(removeTerm(id, term.id), onGone)}>Remove</Button></td>
    </tr>
  );
}

const DOES = {
  hold: { kind: "blocked", action: "hold" },
  refuse: { kind: "blocked", action: "refuse" },
  allow: { kind: "allowed", action: "hold" },
} as const;

function AddTerms({ known, onAdded }: { known: Term[]; onAdded: () => void }) {
  const { id } = useChannel();
  const [typed, setTyped] = useState("");
  const [does, setDoes] = useState<keyof typeof DOES>("hold");
  const [everybody, setEverybody] = useState(false);
  const [problems, setProblems] = useState<string[]>([]);
  const [done, setDone] = useState<string | null>(null);
  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (done !== null) return;
    const { kind, action } = DOES[does];
    const { texts, problems: bad } = pastedTerms(typed, new Set(known.filter((term) => term.kind === kind).map((term) => term.text)));
    setProblems(bad);
    const left = await addAll(id, texts.map((text) => ({ text, kind, action, public: everybody })), (number) => setDone(`Adding ${number} of ${texts.length}`));
    setDone(null);
    setTyped(left.texts.join("\n"));
    if (left.problem) setProblems([...bad, left.problem]);
    onAdded();
  };
  return (
    <form className="desk-form" onSubmit={(event) => void add(event)}>
      <label className="desk-label"><span>Terms, one a line. <code>*</code> stands for any characters.</span>
        <textarea className="input" rows={3} value={typed} data-testid="terms-new" onChange={(event) => setTyped(event.target.value)} />
      </label>
      <div className="desk-two">
        <label className="desk-label">What they do<select className="input" value={does} onChange={(event) => setDoes(event.target.value as keyof typeof DOES)}><option value="hold">Hold for a moderator</option><option value="refuse">Refuse</option><option value="allow">Let through</option></select></label>
        <label className="desk-label">Who writes it is told<select className="input" value={everybody ? "all" : "mods"} onChange={(event) => setEverybody(event.target.value === "all")}><option value="mods">No (private)</option><option value="all">Yes (public)</option></select></label>
      </div>
      {problems.map((problem) => <p key={problem} className="field-error" role="alert">{problem}</p>)}
      <Button small type="submit" busy={done !== null} disabled={!typed.trim()}>{done ?? "Add"}</Button>
    </form>
  );
}

/** One after the other; at the first refusal the rest comes back, so that nothing typed is lost. */
async function addAll(channelId: string, terms: NewTerm[], progress: (number: number) => void): Promise<{ texts: string[]; problem: string | null }> {
  for (const [index, term] of terms.entries()) {
    progress(index + 1);
    try {
      await addTerm(channelId, term);
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.code === "mod.already_so") continue;
      return { texts: terms.slice(index).map(({ text }) => text), problem: `"${term.text}": ${error.message}` };
    }
  }
  return { texts: [], problem: null };
}
