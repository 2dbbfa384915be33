import { useState, type FormEvent } from "react";
import { startStream } from "../api/calls";
import { asApiError } from "../api/errors";
import type { Latency } from "../api/types";
import { focusFirstInvalid } from "../pages/AuthPage";
import { Button } from "../ui/Button";
import { Field, FormError } from "../ui/Field";
import { HowTo } from "./HowTo";
import { rememberIngest } from "./ingest";
import { StudioTabs } from "./StudioTabs";

const CATEGORIES = ["Art", "Coding", "Cooking", "Education", "Gaming", "Making", "Music", "Outdoors", "Sports", "Talk"];

export function StartForm({ onStarted }: { onStarted: () => void }) {
  const [title, setTitle] = useState("");
  const [category, setCategory] = useState("");
  const [latency, setLatency] = useState<Latency>("low");
  const [visibility, setVisibility] = useState<"public" | "premium">("public");
  const [record, setRecord] = useState(true);
  const [busy, setBusy] = useState(false);
  const [fields, setFields] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<string | null>(null);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setProblem(null);
    setFields(title.trim() ? {} : { title: "Say in a few words what people will see." });
    if (!title.trim()) {
      focusFirstInvalid();
      return;
    }
    setBusy(true);
    startStream({ title: title.trim(), category: category.trim() || null, latency, visibility, record })
      .then((stream) => {
        rememberIngest(stream.id, stream.ingest);
        onStarted();
      })
      .catch((thrown: unknown) => {
        const error = asApiError(thrown);
        if (error.code === "stream.already_open") {
          onStarted(); // begun in another tab: show that one
          return;
        }
        setFields(error.fields);
        setProblem(Object.keys(error.fields).length ? null : error.message);
        focusFirstInvalid();
      })
      .finally(() => setBusy(false));
  };

  return (
    <div className="page studio-start">
      <StudioTabs />
      <header className="studio-state" data-testid="studio-state" data-state="offline">
        <span className="studio-lamp" aria-hidden="true" />
        <div><h1>You are offline</h1><p className="muted">Name the stream, get a key, start your encoder. Nobody sees anything before the encoder runs.</p></div>
      </header>
      <form className="panel stack" onSubmit={submit} noValidate aria-label="New stream">
        <FormError message={problem} />
        <Field label="Title" name="title" maxLength={140} placeholder="What happens on your stage?" value={title} onValue={setTitle} error={fields["title"]} required autoComplete="off" />
        <Field label="Category (optional)" name="category" maxLength={40} list="categories" value={category} onValue={setCategory} error={fields["category"]} autoComplete="off" />
        <datalist id="categories">{CATEGORIES.map((name) => <option key={name} value={name} />)}</datalist>
        <fieldset className="field">
          <legend>Delay</legend>
          <div className="choices">
            <Choice group="latency" name="low" chosen={latency} onChoose={setLatency} title="Low: about a second">You talk with your viewers. Needs a steady connection at both ends.</Choice>
            <Choice group="latency" name="standard" chosen={latency} onChoose={setLatency} title="Standard: about five seconds">Rides out bumps. Right for music, events and weak networks.</Choice>
          </div>
        </fieldset>
        <fieldset className="field">
          <legend>Who may watch</legend>
          <div className="choices">
            <Choice group="visibility" name="public" chosen={visibility} onChoose={setVisibility} title="Everybody">Anyone can watch; who is signed in can talk.</Choice>
            <Choice group="visibility" name="premium" chosen={visibility} onChoose={setVisibility} title="Subscribers">Picture and chat are for subscribers. It is listed for all.</Choice>
          </div>
        </fieldset>
        <label className="record-choice"><input type="checkbox" checked={record} onChange={(event) => setRecord(event.target.checked)} data-testid="record" />Record it: it becomes a video when it is over, with its chat</label>
        <div><Button look="primary" type="submit" busy={busy} data-testid="start-stream">Get ready to go live</Button></div>
      </form>
      <HowTo latency={latency} ingest={null} shown={false} />
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  group: string;
  name: Value;
  chosen: Value;
  onChoose: (value: Value) => void;
  title: string;
  children: string;
}

function Choice<Value extends string>({ group, name, chosen, onChoose, title, children }: ChoiceProps<Value>) {
  return (
    <label className="choice">
      <input type="radio" name={group} value={name} checked={chosen === name} onChange={() => onChoose(name)} />
      <strong>{title}</strong>
      <span>{children}</span>
    </label>
  );
}
