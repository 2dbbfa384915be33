/** What stands between a viewer and the field: a warning to acknowledge, a timeout that ends, a ban one can ask about. */
import { useEffect, useId, useState, type FormEvent } from "react";
import type { UnbanRequest } from "../api/channels";
import { asApiError } from "../api/errors";
import { askUnban, myUnbanRequests } from "../api/follows";
import type { Caution, Restriction } from "../realtime/events";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import { useCountdown, waitWords } from "./useCountdown";

export function Warned({ warning, onAcknowledge }: { warning: Caution; onAcknowledge: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const title = useId();
  const words = useId();
  const acknowledge = () => {
    setBusy(true);
    setProblem(null);
    onAcknowledge().catch((thrown: unknown) => setProblem(asApiError(thrown).message)).finally(() => setBusy(false));
  };
  return (
    <div className="standing standing-warned" role="alertdialog" aria-labelledby={title} aria-describedby={words} data-testid="warned">
      <h3 id={title}><Icon name="warning" size={18} />A moderator warned you</h3>
      <p id={words}>{warning.reason || "Keep to the rules of this channel."}</p>
      {problem && <p className="composer-problem" role="alert">{problem}</p>}
      <Button wide look="primary" busy={busy} onClick={acknowledge} data-testid="acknowledge">I have read it</Button>
    </div>
  );
}

export function TimedOut({ restriction }: { restriction: Restriction }) {
  const leftMs = useCountdown(restriction.until);
  return (
    <div className="standing" data-testid="timed-out">
      <p role="status"><b>You are timed out.</b>{restriction.reason && ` ${restriction.reason}`}</p>
      <p>{leftMs > 0 ? <>You can write again in <b className="standing-clock" role="timer">{waitWords(leftMs)}</b>.</> : "It is over; one moment."}</p>
    </div>
  );
}

export function Banned({ restriction, channelId }: { restriction: Restriction; channelId: string }) {
  const { request, problem, busy, ask } = useUnbanRequest(channelId);
  const [text, setText] = useState("");
  const [asking, setAsking] = useState(false);
  const field = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) ask(text.trim());
  };
  return (
    <div className="standing" data-testid="banned">
      <p role="status"><b>You are banned from this chat.</b>{restriction.reason && ` ${restriction.reason}`}</p>
      {/* One that was approved was about an earlier ban; whether one may ask again the server says. */}
      {request && request.status !== "approved" && (
        <p role="status" data-testid="unban-state">{STATES[request.status]}{request.resolution && ` “${request.resolution}”`}</p>
      )}
      {request?.status === "pending" ? null : asking ? (
        <form className="stack" onSubmit={submit}>
          <label htmlFor={field} className="small">Why should you be let back in?</label>
          <textarea id={field} className="input" rows={3} maxLength={500} value={text} onChange={(event) => setText(event.target.value)} autoFocus />
          <Button small type="submit" look="primary" busy={busy}>Send</Button>
        </form>
      ) : (
        <Button small onClick={() => setAsking(true)} data-testid="ask-unban">Ask to be unbanned</Button>
      )}
      {problem && <p className="composer-problem" role="alert">{problem}</p>}
    </div>
  );
}

const STATES = { pending: "You asked to be unbanned. The moderators will look at it.", denied: "The moderators said no." };

function useUnbanRequest(channelId: string) {
  const [request, setRequest] = useState<UnbanRequest | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const left = new AbortController();
    // Without an answer one may simply ask; the server refuses a second request and says why.
    myUnbanRequests(channelId, left.signal).then(({ requests }) => setRequest(requests[0] ?? null), () => {});
    return () => left.abort();
  }, [channelId]);
  const ask = (text: string) => {
    setBusy(true);
    setProblem(null);
    askUnban(channelId, text).then(setRequest, (thrown: unknown) => setProblem(asApiError(thrown).message)).finally(() => setBusy(false));
  };
  return { request, problem, busy, ask };
}
