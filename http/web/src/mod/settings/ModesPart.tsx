/** The room's modes, each with its bounds, and shield mode. What is chosen is shown at once and taken back if refused. */
import { useCallback, useEffect, useId, useState, type ReactNode } from "react";
import { fetchRules } from "../../api/channels";
import type { RoomSettings } from "../../realtime/events";
import { Button } from "../../ui/Button";
import { useChannel } from "../ChannelContext";
import { useAnswer, useDoing } from "../useAnswer";
import { span } from "../words";
import { Problem } from "./Problem";

const FOLLOWING = [0, 600, 3600, 86_400, 604_800, 2_592_000, 7_776_000];
const SLOW = [0, 3, 5, 10, 20, 30, 60, 120];

export function ModesPart({ news }: { news: number }) {
  const { id, live } = useChannel();
  const question = useCallback((signal: AbortSignal) => fetchRules(id, signal), [id]);
  const rules = useAnswer(question);
  useEffect(() => {
    if (news > 0) rules.again();
    // The answer's own functions are stable.
  }, [news, rules.again]);
  const settings = live?.room.joined ? live.room.settings : rules.value?.settings;
  if (!settings) return <Problem message={rules.problem} onAgain={rules.again} waiting="Reading the modes" />;
  return <Modes settings={settings} onDone={rules.again} />;
}

function Modes({ settings, onDone }: { settings: RoomSettings; onDone: () => void }) {
  const { run, may } = useChannel();
  // What was asked for and not answered yet stands over what is known.
  const [asked, setAsked] = useState<Partial<RoomSettings>>({});
  const [refusal, setRefusal] = useState<{ name: string; message: string } | null>(null);
  const shown = { ...settings, ...asked };
  const off = !may("settings");
  const change = (part: Partial<RoomSettings>) => {
    const name = Object.keys(part)[0]!;
    setAsked((before) => ({ ...before, ...part }));
    setRefusal(null);
    const command = "shield" in part ? { type: "shield", body: { on: part.shield } } : { type: "settings", body: part };
    run(command)
      .then(onDone, (thrown: unknown) => setRefusal({ name, message: thrown instanceof Error ? thrown.message : "This did not work." }))
      .finally(() => setAsked((before) => Object.fromEntries(Object.entries(before).filter(([key]) => key !== name))));
  };
  const why = (name: keyof RoomSettings) => (refusal?.name === name ? refusal.message : null);
  return (
    <div className="desk-form">
      <Shield on={shown.shield} off={off} problem={why("shield")} onChange={(shield) => change({ shield })} />
      <Choice label="Slow mode" help="Seconds between two messages of one person: 3 to 120." problem={why("slow_seconds")} off={off} value={shown.slow_seconds} values={withValue(SLOW, shown.slow_seconds)} words={(seconds) => (seconds === 0 ? "Off" : span(seconds))} onChange={(slow_seconds) => change({ slow_seconds })} />
      {settings.auto_slow_seconds > 0 && <p className="muted small">The room is loud and set {span(settings.auto_slow_seconds)} by itself; the greater holds.</p>}
      <Choice label="Followers only" help="Only who follows for so long may write, up to 90 days." problem={why("followers_seconds")} off={off} value={shown.followers_seconds ?? -1} values={[-1, ...withValue(FOLLOWING, shown.followers_seconds ?? 0)]} words={(seconds) => (seconds < 0 ? "Off" : seconds === 0 ? "All followers" : `Followers for ${span(seconds)}`)} onChange={(seconds) => change({ followers_seconds: seconds < 0 ? null : seconds })} />
      <Choice label="Moderators first" help="Everybody else sees a message so much later." problem={why("delay_seconds")} off={off} value={shown.delay_seconds} values={[0, 2, 4, 6]} words={(seconds) => (seconds === 0 ? "Off" : span(seconds))} onChange={(delay_seconds) => change({ delay_seconds })} />
      <Switch label="Subscribers only" problem={why("subscribers_only")} off={off} on={shown.subscribers_only} onChange={(subscribers_only) => change({ subscribers_only })} />
      <Switch label="Emotes only" problem={why("emote_only")} off={off} on={shown.emote_only} onChange={(emote_only) => change({ emote_only })} />
      <Switch label="Unique messages" help="Nobody may repeat what was said a moment ago." problem={why("unique_chat")} off={off} on={shown.unique_chat} onChange={(unique_chat) => change({ unique_chat })} />
      <Switch label="Read only" help="Only moderators write." problem={why("read_only")} off={off} on={shown.read_only} onChange={(read_only) => change({ read_only })} />
      <ClearChat />
    </div>
  );
}

const withValue = (values: number[], value: number) => (values.includes(value) ? values : [...values, value].sort((a, b) => a - b));

function Shield({ on, off, problem, onChange }: { on: boolean; off: boolean; problem: string | null; onChange: (on: boolean) => void }) {
  const help = useId();
  return (
    <div className={on ? "desk-shield desk-shield-on" : "desk-shield"}>
      <button type="button" role="switch" aria-checked={on} aria-describedby={help} disabled={off} onClick={() => onChange(!on)} data-testid="shield">
        <strong>Shield mode {on ? "is on" : "is off"}</strong><span aria-hidden="true" className="desk-knob" />
      </button>
      <p id={help} className="muted small">The strictest of everything at once, and new accounts are held. Off gives back what was before.</p>
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </div>
  );
}

interface SettingProps {
  label: string;
  help?: string;
  problem: string | null;
  off: boolean;
}

function Setting({ children, help, helpId, problem }: { children: ReactNode; help: string | undefined; helpId: string; problem: string | null }) {
  return <div className="desk-setting">{children}{help && <p id={helpId} className="muted small">{help}</p>}{problem && <p className="field-error" role="alert">{problem}</p>}</div>;
}

function Choice({ label, help, problem, off, value, values, words, onChange }: SettingProps & { value: number; values: number[]; words: (value: number) => string; onChange: (value: number) => void }) {
  const id = useId();
  return (
    <Setting help={help} helpId={`${id}-help`} problem={problem}>
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={value} disabled={off} aria-describedby={help ? `${id}-help` : undefined} onChange={(event) => onChange(Number(event.target.value))}>
        {values.map((one) => <option key={one} value={one}>{words(one)}</option>)}
      </select>
    </Setting>
  );
}

function Switch({ label, help, problem, off, on, onChange }: SettingProps & { on: boolean; onChange: (on: boolean) => void }) {
  const id = useId();
  return (
    <Setting help={help} helpId={`${id}-help`} problem={problem}>
      <button type="button" role="switch" aria-checked={on} disabled={off} className="desk-switch" aria-describedby={help ? `${id}-help` : undefined} onClick={() => onChange(!on)}>{label}<span aria-hidden="true" className="desk-knob" /></button>
    </Setting>
  );
}

/** It removes what hundreds of people said, so it asks once. */
function ClearChat() {
  const { live, run } = useChannel();
  const { busy, problem, doing } = useDoing();
  const [sure, setSure] = useState(false);
  if (!live) return null;
  return (
    <div className="desk-setting">
      {sure ? (
        <div className="row"><Button small look="danger" busy={busy} onClick={() => doing(run({ type: "clear", body: {} }), () => setSure(false))}>Remove everything said so far</Button><Button small look="quiet" onClick={() => setSure(false)}>Keep it</Button></div>
      ) : (
        <Button small look="danger" onClick={() => setSure(true)}>Clear the chat</Button>
      )}
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </div>
  );
}
