/** People who ask to be let in again, and what they are answered. */
import { useCallback, useState } from "react";
import { fetchUnbanRequests, resolveUnbanRequest, type UnbanRequest } from "../../api/channels";
import { Button } from "../../ui/Button";
import { useChannel } from "../ChannelContext";
import { useDoing, usePages } from "../useAnswer";
import { moment, msOf } from "../words";
import { Problem } from "./Problem";

export function RequestsPart(_: { news: number }) {
  const { id } = useChannel();
  const [status, setStatus] = useState("pending");
  const question = useCallback(
    (cursor: string | null, signal: AbortSignal) => fetchUnbanRequests(id, status, cursor, signal).then((page) => ({ items: page.requests, next: page.next_cursor })),
    [id, status],
  );
  const requests = usePages(question);
  return (
    <div className="desk-form">
      <label className="desk-label">Show<select className="input" value={status} onChange={(event) => setStatus(event.target.value)}><option value="pending">Not answered yet</option><option value="approved">Approved</option><option value="denied">Denied</option></select></label>
      <Problem message={requests.problem} onAgain={requests.again} />
      <ul className="desk-requests">{requests.items.map((request) => <RequestLine key={request.id} request={request} onDone={requests.again} />)}</ul>
      {requests.items.length === 0 && !requests.busy && !requests.problem && <p className="muted">{status === "pending" ? "Nobody waits for an answer." : "None."}</p>}
      {requests.more && <Button small look="quiet" busy={requests.busy} onClick={requests.older}>Show more</Button>}
    </div>
  );
}

function RequestLine({ request, onDone }: { request: UnbanRequest; onDone: () => void }) {
  const { id, openCard } = useChannel();
  const { busy, problem, doing } = useDoing();
  const [text, setText] = useState("");
  const resolve = (approve: boolean) => doing(resolveUnbanRequest(id, request.id, approve, text.trim()), onDone);
  return (
    <li>
      <p><button type="button" className="desk-link" onClick={() => openCard(request.user)}>{request.user.name}</button> <span className="muted small">{moment(msOf(request.at))}</span></p>
      <p>{request.text}</p>
      {request.status === "pending" ? (
        <>
          <label className="desk-label">Answer (they read this)<input className="input" value={text} maxLength={500} onChange={(event) => setText(event.target.value)} /></label>
          <div className="row"><Button small busy={busy} onClick={() => resolve(true)}>Let them in again</Button><Button small look="quiet" busy={busy} onClick={() => resolve(false)}>Deny</Button></div>
        </>
      ) : (
        <p className="muted small">{request.status === "approved" ? "Approved" : "Denied"}{request.resolved_by && ` by ${request.resolved_by.name}`}{request.resolution && `: ${request.resolution}`}</p>
      )}
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </li>
  );
}
