/** What was done here and by whom: live, filtered, exported, taken back. The filter stands in the address. */
import { memo, useEffect, useState } from "react";
import { exportAddress, fetchFigures, type Figures, type LogFilter } from "../api/channels";
import { asApiError } from "../api/errors";
import type { Ruling } from "../realtime/events";
import { Button } from "../ui/Button";
import { useChannel } from "./ChannelContext";
import { PersonPicker } from "./PersonPicker";
import { PickList } from "./PickList";
import { canReverse } from "./rulings";
import type { Rulings } from "./useRulings";
import type { StillList } from "./useStill";
import { ACTIONS, moment, rulingWords, span } from "./words";

interface LogColumnProps {
  log: Rulings;
  list: StillList<Ruling>;
  listId: string;
  filter: LogFilter;
  onFilter: (filter: LogFilter) => void;
  onReverse: () => void;
}

export function LogColumn({ log, list, listId, filter, onFilter, onReverse }: LogColumnProps) {
  const { live, openCard } = useChannel();
  const chosen = list.current();
  const person = chosen?.target;
  return (
    <>
      <LogFilters filter={filter} onFilter={onFilter} names={log.rulings} />
      {log.problem && <p className="desk-state" role="alert">{log.problem} <button type="button" className="desk-link" onClick={log.again}>Try again</button></p>}
      <PickList
        id={listId} label="Moderation log" {...list} onSelect={list.pick} onHold={list.hold} onLive={list.goLive}
        option={(ruling) => <RulingOption ruling={ruling} />} optionClass={(ruling) => (ruling.undone_by ? "desk-decided" : "")}
        empty={log.busy ? "Reading the log" : Object.values(filter).some(Boolean) ? "Nothing like that was done." : "Nothing was done here yet."}
      />
      <div className="desk-bar" role="toolbar" aria-label="Actions on the selected ruling">
        <Button small look="quiet" disabled={!chosen || !canReverse(chosen)} onClick={onReverse} data-testid="reverse">{chosen && Date.now() - chosen.at < 10_000 ? "Undo" : "Reverse"} <kbd aria-hidden="true">U</kbd></Button>
        <Button small look="quiet" disabled={!person} onClick={() => person && openCard(person)}>User card <kbd aria-hidden="true">Enter</kbd></Button>
        {log.more && <Button small look="quiet" busy={log.busy} onClick={log.older}>Older</Button>}
        {!live && <Button small look="quiet" icon="retry" busy={log.busy} onClick={log.again}>Read again</Button>}
      </div>
    </>
  );
}

export const RulingOption = memo(function RulingOption({ ruling }: { ruling: Ruling }) {
  const text = ruling.snapshot?.["text"];
  const seconds = ruling.after?.["seconds"];
  return (
    <>
      <time dateTime={new Date(ruling.at).toISOString()}>{moment(ruling.at)}</time> <span>{rulingWords(ruling)}{typeof seconds === "number" && ` for ${span(seconds)}`}</span>
      {typeof text === "string" && <q className="desk-quote">{text}</q>}
      {ruling.reason && <span className="desk-why desk-reason">{ruling.reason}</span>}
      {ruling.undone_by && <span className="desk-fate">Taken back</span>}
    </>
  );
});

function LogFilters({ filter, onFilter, names }: { filter: LogFilter; onFilter: (filter: LogFilter) => void; names: Ruling[] }) {
  const desk = useChannel();
  const [figures, setFigures] = useState(false);
  const change = (part: Partial<LogFilter>) => onFilter({ ...filter, ...part });
  const used = Object.values(filter).filter(Boolean).length;
  const nameOf = (id: string) => names.flatMap((ruling) => [ruling.actor, ruling.target]).find((person) => person?.id === id)?.name ?? "one person";
  return (
    <details className="desk-filters">
      <summary>Filter, figures, export{used > 0 && ` (${used} set)`}</summary>
      <div className="desk-form">
        {filter.actor ? <Chosen words={`By ${nameOf(filter.actor)}`} onClear={() => change({ actor: "" })} /> : <PersonPicker label="Done by" onPick={({ id }) => change({ actor: id })} />}
        {filter.target ? <Chosen words={`To ${nameOf(filter.target)}`} onClear={() => change({ target: "" })} /> : <PersonPicker label="Done to" onPick={({ id }) => change({ target: id })} />}
        <label className="desk-label">Action
          <select className="input" value={filter.action ?? ""} onChange={(event) => change({ action: event.target.value })}>
            <option value="">Every action</option>
            {ACTIONS.map((action) => <option key={action} value={action}>{action.replaceAll("_", " ")}</option>)}
          </select>
        </label>
        <div className="desk-two">
          <label className="desk-label">From<input className="input" type="date" value={filter.from?.slice(0, 10) ?? ""} onChange={(event) => change({ from: startOf(event.target.value, 0) })} /></label>
          <label className="desk-label">To<input className="input" type="date" value={filter.to ? dayBefore(filter.to) : ""} onChange={(event) => change({ to: startOf(event.target.value, 1) })} /></label>
        </div>
        <div className="row">
          {used > 0 && <Button small look="quiet" onClick={() => onFilter({})}>Clear the filter</Button>}
          <Button small look="quiet" aria-expanded={figures} onClick={() => setFigures(!figures)}>Figures</Button>
          {desk.may("own") && (["csv", "json"] as const).map((format) => <a key={format} className="button button-quiet button-small" href={exportAddress(desk.id, format, filter)} download>Export {format.toUpperCase()}</a>)}
        </div>
        {figures && <FiguresTable filter={filter} />}
      </div>
    </details>
  );
}

const Chosen = ({ words, onClear }: { words: string; onClear: () => void }) => (
  <p className="row"><span className="tag">{words}</span><Button small look="quiet" onClick={onClear}>Everybody</Button></p>
);

const startOf = (day: string, more: number) => (day ? new Date(Date.parse(`${day}T00:00:00Z`) + more * 86_400_000).toISOString() : "");
const dayBefore = (iso: string) => new Date(Date.parse(iso) - 86_400_000).toISOString().slice(0, 10);

function FiguresTable({ filter }: { filter: LogFilter }) {
  const { id } = useChannel();
  const [figures, setFigures] = useState<Figures[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { from = "", to = "" } = filter;
  useEffect(() => {
    const controller = new AbortController();
    fetchFigures(id, { from, to }, controller.signal).then(
      ({ figures: all }) => setFigures(all),
      (thrown: unknown) => !controller.signal.aborted && setProblem(asApiError(thrown).message),
    );
    return () => controller.abort();
  }, [id, from, to]);
  if (problem) return <p className="field-error" role="alert">{problem}</p>;
  if (!figures) return <p className="muted">Counting</p>;
  const actions = [...new Set(figures.flatMap((one) => Object.keys(one.counts)))];
  return (
    <div className="desk-table" role="region" aria-label="Figures of each moderator" tabIndex={0}>
      <table>
        <thead><tr><th scope="col">Moderator</th>{actions.map((action) => <th key={action} scope="col">{action.replaceAll("_", " ")}</th>)}</tr></thead>
        <tbody>{figures.map((one) => <tr key={one.moderator.id}><th scope="row">{one.moderator.name}</th>{actions.map((action) => <td key={action}>{one.counts[action] ?? 0}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}
