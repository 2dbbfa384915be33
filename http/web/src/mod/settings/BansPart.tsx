/** Who is banned or timed out, until when, by whom and why. */
import { useCallback, useEffect, useState } from "react";
import { fetchBans, type Banned } from "../../api/channels";
import { Button } from "../../ui/Button";
import { clock } from "../../ui/time";
import { useNow } from "../../ui/useNow";
import { useChannel } from "../ChannelContext";
import { useDoing, usePages } from "../useAnswer";
import { moment, msOf } from "../words";
import { Problem } from "./Problem";

export function BansPart({ news }: { news: number }) {
  const { id } = useChannel();
  const [kind, setKind] = useState("");
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const question = useCallback(
    (cursor: string | null, signal: AbortSignal) => fetchBans(id, { kind, q, cursor }, signal).then((page) => ({ items: page.bans, next: page.next_cursor })),
    [id, kind, q],
  );
  const bans = usePages(question);
  const { again } = bans;
  const [seen, setSeen] = useState(news);
  useEffect(() => {
    if (news === seen) return;
    setSeen(news);
    again();
  }, [news, seen, again]);
  return (
    <div className="desk-form">
      <div className="desk-two">
        <label className="desk-label">Name<input className="input" type="search" value={typed} onChange={(event) => setTyped(event.target.value)} /></label>
        <label className="desk-label">Kind<select className="input" value={kind} onChange={(event) => setKind(event.target.value)}><option value="">Both</option><option value="ban">Bans</option><option value="timeout">Timeouts</option></select></label>
      </div>
      <Problem message={bans.problem} onAgain={again} />
      <ul className="desk-people">{bans.items.map((banned) => <BanLine key={banned.user.id} banned={banned} onDone={again} />)}</ul>
      {bans.items.length === 0 && !bans.busy && !bans.problem && <p className="muted">{q || kind ? "Nobody like that." : "Nobody is banned or timed out."}</p>}
      {bans.more && <Button small look="quiet" busy={bans.busy} onClick={bans.older}>Show more</Button>}
    </div>
  );
}

function BanLine({ banned, onDone }: { banned: Banned; onDone: () => void }) {
  const { run, openCard } = useChannel();
  const { busy, problem, doing } = useDoing();
  const now = useNow(1000);
  const left = banned.until === null ? null : (msOf(banned.until) - now) / 1000;
  return (
    <li>
      <button type="button" className="desk-link" onClick={() => openCard(banned.user)}>{banned.user.name}</button>
      <span className="tag">{left === null ? "Banned" : left > 0 ? `${clock(left)} left` : "Over"}</span>
      <span className="muted small">{moment(msOf(banned.at))}{banned.by && `, by ${banned.by.name}`}{banned.reason && `: ${banned.reason}`}</span>
      <Button small look="quiet" busy={busy} aria-label={`Lift it for ${banned.user.name}`} onClick={() => doing(run({ type: "unban", body: { user_id: banned.user.id } }), onDone)}>Lift</Button>
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </li>
  );
}
