/** Title and category, changed in place while the stream goes on: shown at once, taken back if refused. */
import { useEffect, useRef, useState, type FormEvent } from "react";
import { describeStream } from "../api/calls";
import { asApiError } from "../api/errors";
import type { Stream } from "../api/types";
import { Button } from "../ui/Button";
import { Field, FormError } from "../ui/Field";
import { useToast } from "../ui/Toasts";

interface Description {
  title: string;
  category: string | null;
}

interface DescribeProps {
  stream: Stream;
  /** As the room was told last. */
  known: Description;
  onChanged: () => void;
}

export function DescribePanel({ stream, known, onChanged }: DescribeProps) {
  const [asked, setAsked] = useState<Description | null>(null);
  const [draft, setDraft] = useState<Description | null>(null);
  const [problem, setProblem] = useState<{ fields: Record<string, string>; message: string | null } | null>(null);
  const change = useRef<HTMLDivElement>(null);
  const toast = useToast();
  const shown = asked ?? known;

  // What was asked for stands until the room says the same.
  useEffect(() => {
    if (asked && asked.title === known.title && asked.category === known.category) setAsked(null);
  }, [asked, known.title, known.category]);

  const close = () => {
    setDraft(null);
    setProblem(null);
    requestAnimationFrame(() => change.current?.querySelector("button")?.focus());
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const wanted = { title: draft!.title.trim(), category: draft!.category?.trim() || null };
    if (!wanted.title) {
      setProblem({ fields: { title: "Say in a few words what people see." }, message: null });
      return;
    }
    setAsked(wanted);
    close();
    describeStream(stream.id, wanted)
      .then((told) => {
        setAsked({ title: told.title, category: told.category });
        toast("Everybody sees the new title and category.");
        onChanged();
      })
      .catch((thrown: unknown) => {
        const error = asApiError(thrown);
        setAsked(null);
        setDraft(wanted); // what was typed is not lost
        setProblem({ fields: error.fields, message: Object.keys(error.fields).length ? null : error.message });
      });
  };

  return (
    <section className="panel" aria-labelledby="describe">
      <div className="panel-title" ref={change}>
        <h2 id="describe">Title and category</h2>
        {!draft && <Button look="quiet" small onClick={() => setDraft(shown)} disabled={stream.status === "ended"} data-testid="describe-edit">Change</Button>}
      </div>
      {draft ? (
        <form className="stack" onSubmit={save} noValidate onKeyDown={(event) => event.key === "Escape" && close()}>
          <FormError message={problem?.message} />
          <Field label="Title" autoFocus maxLength={140} value={draft.title} onValue={(title) => setDraft({ ...draft, title })} error={problem?.fields["title"]} autoComplete="off" data-testid="describe-title" />
          <Field label="Category (optional)" maxLength={60} value={draft.category ?? ""} onValue={(category) => setDraft({ ...draft, category })} error={problem?.fields["category"]} autoComplete="off" data-testid="describe-category" />
          <div className="row"><Button look="primary" small type="submit" data-testid="describe-save">Change it now</Button><Button small onClick={close}>Leave it</Button></div>
        </form>
      ) : (
        <dl className="described"><dt className="sr-only">Title</dt><dd data-testid="described-title">{shown.title}</dd><dt className="sr-only">Category</dt><dd className="muted" data-testid="described-category">{shown.category ?? "No category"}</dd></dl>
      )}
    </section>
  );
}
