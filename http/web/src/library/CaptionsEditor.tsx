/** WebVTT files of a video, one for each language. */
import { useRef, useState } from "react";
import { asApiError } from "../api/errors";
import { deleteCaptions, putCaptions, type Video } from "../api/videos";
import { Button, IconButton } from "../ui/Button";
import { Field } from "../ui/Field";

const LANGUAGE = /^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i;

export function CaptionsEditor({ video, onChanged }: { video: Video; onChanged: (video: Video) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [language, setLanguage] = useState(() => navigator.language.split("-")[0] ?? "en");
  const [captions, setCaptions] = useState(video.captions);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const took = (work: Promise<Video>) => {
    setBusy(true);
    setProblem(null);
    work
      .then((changed) => {
        setCaptions(changed.captions);
        onChanged(changed);
      }, (thrown: unknown) => setProblem(asApiError(thrown).message))
      .finally(() => setBusy(false));
  };
  const choose = () => {
    if (LANGUAGE.test(language)) input.current?.click();
    else setProblem("Write the language as a code such as en, de or pt-br.");
  };
  return (
    <fieldset className="field">
      <legend>Captions</legend>
      {captions.length > 0 && (
        <ul className="captions-list">
          {captions.map((each) => (
            <li key={each.language}><span>{each.label} <span className="muted">({each.language})</span></span>
              <IconButton icon="trash" label={`Remove the captions in ${each.label}`} disabled={busy} onClick={() => took(deleteCaptions(video.id, each.language))} /></li>
          ))}
        </ul>
      )}
      <div className="captions-add">
        <Field label="Language" value={language} onValue={setLanguage} maxLength={20} autoComplete="off" />
        <Button busy={busy} onClick={choose}>Add a WebVTT file</Button>
        <input ref={input} type="file" accept=".vtt,text/vtt" hidden tabIndex={-1} aria-label="WebVTT file" data-testid="captions-file" onChange={(event) => {
          const [file] = Array.from(event.target.files ?? []);
          if (file) took(putCaptions(video.id, language.toLowerCase(), labelOf(language), file));
          event.target.value = "";
        }} />
      </div>
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </fieldset>
  );
}

/** "de" -> "Deutsch": people look for their own language in its own words. */
function labelOf(language: string): string {
  try {
    const name = new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
    return name.charAt(0).toUpperCase() + name.slice(1);
  } catch {
    return language;
  }
}
