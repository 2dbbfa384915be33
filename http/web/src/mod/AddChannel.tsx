/** Another channel beside the first: one of those one moderates, or by its id, its address, or the name of somebody the first channel knows. */
import { useEffect, useState, type FormEvent } from "react";
import { fetchModerated, findPeople, type Moderated } from "../api/channels";
import { asApiError } from "../api/errors";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

export function AddChannel({ first, shown, full, onAdd }: { first: string; shown: readonly string[]; full: boolean; onAdd: (id: string) => void }) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [moderated, setModerated] = useState<Moderated[]>([]);
  useEffect(() => {
    if (!open) return;
    const asking = new AbortController();
    // Without the list a channel can still be typed.
    fetchModerated(asking.signal).then(({ channels }) => setModerated(channels), () => setModerated([]));
    return () => asking.abort();
  }, [open]);
  const offered = moderated.filter(({ id }) => !shown.includes(id));
  const add = (id: string) => {
    onAdd(id);
    setTyped("");
    setOpen(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = typed.trim();
    if (!wanted || busy) return;
    const id = ID.exec(wanted)?.[0];
    if (id) {
      add(id.toLowerCase());
      return;
    }
    setBusy(true);
    setProblem(null);
    findPeople(first, wanted)
      .then(({ people }) => {
        const same = people.filter((person) => person.name.toLocaleLowerCase() === wanted.toLocaleLowerCase());
        const one = same.length === 1 ? same[0] : people.length === 1 ? people[0] : undefined;
        if (one) add(one.id);
        else setProblem(people.length === 0 ? "Nobody of that name was found. Paste the channel's address instead." : `Several people match: ${people.slice(0, 5).map((person) => person.name).join(", ")}.`);
      }, (thrown: unknown) => setProblem(asApiError(thrown).message))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Button small look="quiet" onClick={() => setOpen(true)} disabled={full} title={full ? "Four channels fit on a desk" : undefined} data-testid="add-channel">Add a channel</Button>
      <Dialog title="Another channel" open={open} onClose={() => setOpen(false)}>
        {offered.length > 0 && (
          <ul className="desk-offered" aria-label="Channels you moderate">
            {offered.map(({ id, display_name: name, live_stream_id: stream }) => <li key={id}><Button small onClick={() => add(id)}>{name}{stream ? " (live)" : ""}</Button></li>)}
          </ul>
        )}
        <form className="stack" onSubmit={submit}>
          <Field label="Channel" help="A name, a channel's id, or the address of its desk." value={typed} autoFocus error={problem ?? undefined} onValue={(value) => { setTyped(value); setProblem(null); }} />
          <footer><Button look="primary" type="submit" busy={busy}>Add</Button></footer>
        </form>
      </Dialog>
    </>
  );
}
