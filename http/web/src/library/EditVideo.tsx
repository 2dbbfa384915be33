/** What can be changed of a video: its words, who sees it, its picture and its captions. */
import { useEffect, useId, useRef, useState, type FormEvent } from "react";
import { asApiError } from "../api/errors";
import { changeVideo, putPoster, type Video, type VideoChange, type Visibility } from "../api/videos";
import { focusFirstInvalid } from "../pages/AuthPage";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { describedBy, Field, FieldNotes, FormError } from "../ui/Field";
import { useToast } from "../ui/Toasts";
import { CaptionsEditor } from "./CaptionsEditor";
import { cleanTags } from "./tags";

const VISIBILITIES: [Visibility, string, string][] = [
  ["public", "Public", "Everybody finds and watches it."],
  ["unlisted", "Unlisted", "Whoever has the link watches it; no list or search shows it."],
  ["premium", "Premium", "Everybody finds it, subscribers watch it."],
  ["private", "Private", "Only you see it."],
];

interface EditProps {
  video: Video;
  open: boolean;
  onClose: () => void;
  onChanged: (video: Video) => void;
}

export function EditVideo(props: EditProps) {
  return (
    <Dialog title="Edit video" open={props.open} onClose={props.onClose}>
      {props.open && <EditForm {...props} />}
    </Dialog>
  );
}

function EditForm({ video, onClose, onChanged }: EditProps) {
  const toast = useToast();
  const [title, setTitle] = useState(video.title);
  const [description, setDescription] = useState(video.description);
  const [tags, setTags] = useState(video.tags.join(", "));
  const [category, setCategory] = useState(video.category ?? "");
  const [visibility, setVisibility] = useState<Visibility>(video.visibility);
  const [busy, setBusy] = useState(false);
  const [fields, setFields] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<string | null>(null);

  const save = (event: FormEvent) => {
    event.preventDefault();
    if (!title.trim()) {
      setFields({ title: "A video needs a title." });
      focusFirstInvalid();
      return;
    }
    const change: VideoChange = { title: title.trim(), description: description.trim(), tags: cleanTags(tags), category: category.trim() || null, visibility };
    setBusy(true);
    setFields({});
    setProblem(null);
    changeVideo(video.id, change).then(
      (changed) => {
        onChanged(changed);
        toast("Saved.");
        onClose();
      },
      (thrown: unknown) => {
        const error = asApiError(thrown);
        setFields(error.fields);
        setProblem(Object.keys(error.fields).length ? null : error.message);
        focusFirstInvalid();
      },
    ).finally(() => setBusy(false));
  };

  return (
    <form className="stack edit-video" onSubmit={save} noValidate>
      <FormError message={problem} />
      <Field label="Title" maxLength={140} value={title} onValue={setTitle} error={fields["title"]} required autoComplete="off" />
      <TextArea label="Description (optional)" value={description} onValue={setDescription} error={fields["description"]} />
      <Field label="Tags (optional)" help="Up to 10, with commas between." value={tags} onValue={setTags} error={fields["tags"]} autoComplete="off" />
      <Field label="Category (optional)" maxLength={60} value={category} onValue={setCategory} error={fields["category"]} autoComplete="off" />
      <fieldset className="field">
        <legend>Who may watch</legend>
        <div className="choices">
          {VISIBILITIES.map(([value, name, words]) => (
            <label key={value} className="choice">
              <input type="radio" name="visibility" value={value} checked={visibility === value} onChange={() => setVisibility(value)} />
              <strong>{name}</strong>
              <span>{words}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <PosterField video={video} onChanged={onChanged} />
      <CaptionsEditor video={video} onChanged={onChanged} />
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" busy={busy} data-testid="save-video">Save</Button>
      </footer>
    </form>
  );
}

function TextArea({ label, value, onValue, error }: { label: string; value: string; onValue: (value: string) => void; error?: string | undefined }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} className="input" rows={5} maxLength={5000} value={value} aria-invalid={error ? true : undefined} aria-describedby={describedBy(id, undefined, error)} onChange={(event) => onValue(event.target.value)} />
      <FieldNotes id={id} error={error} />
    </div>
  );
}

function PosterField({ video, onChanged }: { video: Video; onChanged: (video: Video) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [shown, setShown] = useState(video.metadata.thumbnails[0]);
  useEffect(() => setShown(video.metadata.thumbnails[0]), [video.metadata.thumbnails]);
  const send = (file: File) => {
    setBusy(true);
    setProblem(null);
    putPoster(video.id, file)
      .then((changed) => {
        setShown(changed.metadata.thumbnails[0]);
        onChanged(changed);
      }, (thrown: unknown) => setProblem(asApiError(thrown).message))
      .finally(() => setBusy(false));
  };
  return (
    <div className="field">
      <span className="field-name">Picture</span>
      <div className="row">
        {shown && <img className="edit-poster" src={shown} alt="The picture that lists show" />}
        <Button small busy={busy} onClick={() => input.current?.click()}>Choose another</Button>
        <input ref={input} type="file" accept="image/jpeg,image/png,image/webp" hidden tabIndex={-1} aria-label="Picture file" onChange={(event) => {
          const [file] = Array.from(event.target.files ?? []);
          if (file) send(file);
          event.target.value = "";
        }} />
      </div>
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </div>
  );
}
