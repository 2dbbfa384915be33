import { useState } from "react";
import { newKey } from "../api/calls";
import { asApiError } from "../api/errors";
import type { Ingest } from "../api/types";
import { Button, IconButton } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { Confirm } from "../ui/Dialog";
import { useToast } from "../ui/Toasts";
import { rememberIngest } from "./ingest";

interface IngestProps {
  streamId: string;
  connected: boolean;
  ingest: Ingest | null;
  shown: boolean;
  onShow: (shown: boolean) => void;
}

export function IngestPanel({ streamId, connected, ingest, shown, onShow }: IngestProps) {
  return (
    <section className="panel" aria-labelledby="ingest">
      <div className="panel-title">
        <h2 id="ingest">Server and key</h2>
        <ResetKey streamId={streamId} connected={connected} />
      </div>
      {ingest ? (
        <>
          <Row label="Server" value={ingest.url} what="server address" testId="ingest-url" />
          <Row label="Stream key" value={ingest.key} what="stream key" testId="ingest-key" secret shown={shown} onShow={onShow} />
          <p className="muted small">Who has the key can stream as you. It is shown on this visit only.</p>
        </>
      ) : (
        <p className="muted" data-testid="key-gone">The key was shown when the stream was made, and is kept nowhere. Your encoder keeps working with it. If you have lost it, make a new one.</p>
      )}
    </section>
  );
}

interface RowProps {
  label: string;
  value: string;
  what: string;
  testId: string;
  secret?: boolean;
  shown?: boolean;
  onShow?: (shown: boolean) => void;
}

function Row({ label, value, what, testId, secret = false, shown = false, onShow }: RowProps) {
  const visible = !secret || shown;
  return (
    <div className="ingest-row">
      <label htmlFor={testId}>{label}</label>
      <input id={testId} className="input" data-testid={testId} readOnly type={visible ? "text" : "password"} value={value} autoComplete="off" onFocus={(event) => event.target.select()} />
      {secret && <IconButton icon={shown ? "hidden" : "eye"} label={shown ? "Hide key" : "Show key"} aria-pressed={shown} onClick={() => onShow?.(!shown)} data-testid="show-key" />}
      <CopyButton text={value} what={what} />
    </div>
  );
}

function ResetKey({ streamId, connected }: { streamId: string; connected: boolean }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const toast = useToast();
  const reset = () => {
    setBusy(true);
    newKey(streamId)
      .then(({ ingest }) => {
        rememberIngest(streamId, ingest);
        setAsking(false);
        toast("There is a new key. Put it into your encoder.");
      })
      .catch((thrown: unknown) => toast(asApiError(thrown).message, "problem"))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Button look="quiet" small icon="key" onClick={() => setAsking(true)} data-testid="reset-key">New key</Button>
      <Confirm title="Make a new key?" open={asking} onClose={() => setAsking(false)} confirm="Make a new key" busy={busy} onConfirm={reset}>
        The old key stops working at once.{connected && " Your encoder is connected with it and will be disconnected; put in the new key and start it again."}
      </Confirm>
    </>
  );
}
