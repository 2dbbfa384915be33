import { IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/Menu";
import { clock as clockWords } from "../ui/time";
import type { Captions } from "../api/videos";
import { SPEEDS } from "./keys";
import type { RecordedState } from "./recorded";
import { SeekBar } from "./SeekBar";
import type { Tile } from "./storyboard";
import type { Clock } from "./useClock";

/** Whoever jumps to 0:12 lands on the frame before or after it: 11.97 is no 0:11. Seconds. */
const A_FRAME = 0.05;

export interface VideoControlsProps {
  state: RecordedState;
  clock: Clock;
  whole: number;
  tiles: readonly Tile[];
  sound: { volume: number; muted: boolean };
  full: boolean;
  theatre: boolean;
  speed: number;
  captions: Captions[];
  language: string | null;
  onToggle: () => void;
  onSeek: (seconds: number) => void;
  onQuality: (index: number) => void;
  onSpeed: (speed: number) => void;
  onLanguage: (language: string | null) => void;
  onVolume: (volume: number) => void;
  onMute: () => void;
  onFull: () => void;
  onTheatre: () => void;
  onHelp: () => void;
  onPip?: () => void;
}

export function VideoControls(props: VideoControlsProps) {
  const { state, clock, whole, sound, full, theatre } = props;
  return (
    <div className="player-controls video-controls">
      <SeekBar clock={clock} whole={whole} tiles={props.tiles} onSeek={props.onSeek} />
      <div className="video-buttons">
        <IconButton icon={clock.paused ? "play" : "pause"} label={clock.paused ? "Play (k)" : "Pause (k)"} onClick={props.onToggle} data-testid="play" />
        <div className="player-volume">
          <IconButton icon={sound.muted ? "muted" : "volume"} label={sound.muted ? "Unmute (m)" : "Mute (m)"} onClick={props.onMute} data-testid="mute" />
          <input type="range" min={0} max={100} step={1} aria-label="Volume" value={sound.muted ? 0 : Math.round(sound.volume * 100)} onChange={(event) => props.onVolume(Number(event.target.value) / 100)} />
        </div>
        <span className="video-clock" data-testid="clock">{clockWords(clock.position + A_FRAME)} / {clockWords(Math.max(whole, clock.duration))}</span>
        <span className="player-space" />
        {props.captions.length > 0 && <CaptionsMenu {...props} />}
        <SpeedMenu speed={props.speed} onSpeed={props.onSpeed} />
        {state.qualities.length > 0 && <QualityMenu state={state} onQuality={props.onQuality} />}
        <IconButton className="player-wide-only" icon="help" label="Keyboard (?)" onClick={props.onHelp} />
        {props.onPip && <IconButton className="player-wide-only" icon="pip" label="Picture in picture (i)" onClick={props.onPip} data-testid="pip" />}
        <IconButton className="player-wide-only" icon="theatre" label={theatre ? "Leave theatre (t)" : "Theatre (t)"} aria-pressed={theatre} onClick={props.onTheatre} />
        <IconButton icon={full ? "unfull" : "full"} label={full ? "Leave full screen (f)" : "Full screen (f)"} onClick={props.onFull} data-testid="fullscreen" />
      </div>
    </div>
  );
}

function QualityMenu({ state, onQuality }: { state: RecordedState; onQuality: (index: number) => void }) {
  const auto = state.playing && state.quality === -1 ? `Auto (${state.playing})` : "Auto";
  const choices = [{ value: -1, label: auto }, ...state.qualities.map(({ index, label }) => ({ value: index, label }))];
  return <ChoiceMenu label="Quality" trigger={<Icon name="settings" />} choices={choices} chosen={state.quality} onChoose={onQuality} testId="quality" />;
}

function SpeedMenu({ speed, onSpeed }: { speed: number; onSpeed: (speed: number) => void }) {
  const choices = SPEEDS.map((value) => ({ value, label: value === 1 ? "Normal" : `${value}×` }));
  return <ChoiceMenu label={`Speed, now ${speed === 1 ? "normal" : `${speed} times`}`} trigger={<span className="video-speed">{speed}×</span>} choices={choices.toReversed()} chosen={speed} onChoose={onSpeed} testId="speed" />;
}

function CaptionsMenu({ captions, language, onLanguage }: VideoControlsProps) {
  const choices = [{ value: null, label: "Off" }, ...captions.map(({ language: value, label }) => ({ value, label }))] as { value: string | null; label: string }[];
  return <ChoiceMenu label="Captions (c)" trigger={<span className={language ? "video-cc video-cc-on" : "video-cc"}>CC</span>} choices={choices} chosen={language} onChoose={onLanguage} testId="captions" />;
}

interface ChoiceMenuProps<Value> {
  label: string;
  trigger: React.ReactNode;
  choices: { value: Value; label: string }[];
  chosen: Value;
  onChoose: (value: Value) => void;
  testId: string;
}

function ChoiceMenu<Value extends string | number | null>({ label, trigger, choices, chosen, onChoose, testId }: ChoiceMenuProps<Value>) {
  return (
    <Menu label={label} side="above" trigger={trigger} testId={testId}>
      {(close) =>
        choices.map(({ value, label: words }) => (
          <button key={String(value)} type="button" role="menuitemradio" tabIndex={-1} aria-checked={value === chosen} className="menu-item" onClick={() => { onChoose(value); close(); }}>
            {words}
            {value === chosen && <span className="menu-check"><Icon name="check" size={18} /></span>}
          </button>
        ))
      }
    </Menu>
  );
}
