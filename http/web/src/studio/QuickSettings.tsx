/** The room's modes at one press. What is chosen shows at once; the room's own word for it comes with its log, or a refusal. */
import { useId, useState } from "react";
import { Link } from "react-router";
import { asApiError } from "../api/errors";
import type { RoomSettings } from "../realtime/events";
import type { LiveRoom } from "../realtime/useRoom";
import { useToast } from "../ui/Toasts";
import { stepWords } from "./format";

const SLOW = [0, 3, 5, 10, 30, 60, 120];
const FOLLOWERS = [0, 600, 3600, 86_400, 604_800];

type Modes = Pick<RoomSettings, "slow_seconds" | "followers_seconds" | "subscribers_only" | "emote_only" | "unique_chat" | "read_only" | "shield">;

export function QuickSettings({ live: { room, act }, channelId }: { live: LiveRoom; channelId: string }) {
  const [asked, setAsked] = useState<Partial<Modes>>({});
  const toast = useToast();
  const modes: Modes = { ...room.settings, ...asked };
  const off = !room.joined;
  const choose = (part: Partial<Modes>) => {
    const names = Object.keys(part) as (keyof Modes)[];
    setAsked((before) => ({ ...before, ...part }));
    const { shield, ...settings } = part;
    (shield === undefined ? act("mod:settings", settings) : act("mod:shield", { on: shield }))
      .catch((thrown: unknown) => toast(asApiError(thrown).message, "problem"))
      .finally(() => setAsked((before) => Object.fromEntries(Object.entries(before).filter(([name]) => !names.includes(name as keyof Modes)))));
  };
  return (
    <section className="panel" aria-labelledby="quick" data-testid="quick-settings">
      <div className="panel-title"><h2 id="quick">Quick settings</h2><Link to={`/mod/${channelId}`} className="small">Moderators' desk</Link></div>
      <Toggle label="Shield mode" help="Strictest of everything" on={modes.shield} off={off} onChange={(shield) => choose({ shield })} strong />
      <div className="quick-choices">
        <Choice label="Slow mode" values={SLOW} value={modes.slow_seconds} off={off} words={(seconds) => (seconds ? stepWords(seconds) : "Off")} onChange={(slow_seconds) => choose({ slow_seconds })} />
        <Choice label="Followers only" values={[-1, ...FOLLOWERS]} value={modes.followers_seconds ?? -1} off={off} words={(seconds) => (seconds < 0 ? "Off" : seconds ? `For ${stepWords(seconds)}` : "All followers")} onChange={(seconds) => choose({ followers_seconds: seconds < 0 ? null : seconds })} />
      </div>
      <Toggle label="Subscribers only" on={modes.subscribers_only} off={off} onChange={(subscribers_only) => choose({ subscribers_only })} />
      <Toggle label="Emotes only" on={modes.emote_only} off={off} onChange={(emote_only) => choose({ emote_only })} />
      <Toggle label="Unique messages" on={modes.unique_chat} off={off} onChange={(unique_chat) => choose({ unique_chat })} />
      <Toggle label="Read only" on={modes.read_only} off={off} onChange={(read_only) => choose({ read_only })} />
    </section>
  );
}

interface ToggleProps {
  label: string;
  help?: string;
  on: boolean;
  off: boolean;
  strong?: boolean;
  onChange: (on: boolean) => void;
}

function Toggle({ label, help, on, off, strong = false, onChange }: ToggleProps) {
  return (
    <button type="button" role="switch" aria-checked={on} disabled={off} className={`quick-toggle ${strong ? "quick-strong" : ""}`} onClick={() => onChange(!on)}>
      <span>{label}{help && <span className="muted small"> · {help}</span>}</span><span className="quick-knob" aria-hidden="true" />
    </button>
  );
}

interface ChoiceProps {
  label: string;
  values: number[];
  value: number;
  off: boolean;
  words: (value: number) => string;
  onChange: (value: number) => void;
}

function Choice({ label, values, value, off, words, onChange }: ChoiceProps) {
  const id = useId();
  const all = values.includes(value) ? values : [...values, value].sort((a, b) => a - b);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={value} disabled={off} onChange={(event) => onChange(Number(event.target.value))}>
        {all.map((one) => <option key={one} value={one}>{words(one)}</option>)}
      </select>
    </div>
  );
}
