/** Who keeps order here and whom the channel honours. */
import { useCallback, useEffect, useState } from "react";
import { fetchRoles, type Appointed } from "../../api/channels";
import { Button } from "../../ui/Button";
import { useChannel, type Somebody } from "../ChannelContext";
import { PersonPicker } from "../PersonPicker";
import { useAnswer, useDoing } from "../useAnswer";
import { day, msOf } from "../words";
import { Problem } from "./Problem";

const TITLES = { moderator: "Moderators", vip: "VIPs" } as const;

export function RolesPart({ news }: { news: number }) {
  const { id, may, run, openCard } = useChannel();
  const question = useCallback((signal: AbortSignal) => fetchRoles(id, signal), [id]);
  const { value, problem, again } = useAnswer(question);
  const { busy, problem: refusal, doing } = useDoing();
  const [about, setAbout] = useState<string | null>(null);
  useEffect(() => {
    if (news > 0) again();
  }, [news, again]);
  const give = (role: Appointed["role"], person: Somebody, on: boolean) => {
    setAbout(role);
    doing(run({ type: role, body: { user_id: person.id, on } }), again);
  };
  if (!value) return <Problem message={problem} onAgain={again} waiting="Reading the roles" />;
  return (
    <div className="desk-form">
      {(["moderator", "vip"] as const).map((role) => (
        <section key={role} aria-label={TITLES[role]}>
          <h4>{TITLES[role]}</h4>
          <ul className="desk-people">
            {value.roles.filter((one) => one.role === role).map((one) => (
              <li key={one.user.id}>
                <button type="button" className="desk-link" onClick={() => openCard(one.user)}>{one.user.name}</button>
                <span className="muted small">since {day(msOf(one.at))}{one.by && `, by ${one.by.name}`}</span>
                {may("appoint") && <Button small look="quiet" busy={busy} onClick={() => give(role, one.user, false)} aria-label={`Remove ${one.user.name}`}>Remove</Button>}
              </li>
            ))}
          </ul>
          {value.roles.every((one) => one.role !== role) && <p className="muted">None yet.</p>}
          {may("appoint") && <PersonPicker label={role === "vip" ? "Make somebody a VIP" : "Appoint a moderator"} verb="Appoint" onPick={(person) => give(role, person, true)} />}
          {about === role && refusal && <p className="field-error" role="alert">{refusal}</p>}
        </section>
      ))}
      {!may("appoint") && <p className="muted small">Only the broadcaster appoints and removes.</p>}
    </div>
  );
}
