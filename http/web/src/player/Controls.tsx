import { IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/Menu";
import type { PlaybackState } from "./playback";

interface ControlsProps {
  state: PlaybackState;
  paused: boolean;
  sound: { volume: number; muted: boolean };
  full: boolean;
  theatre: boolean;
  preview: boolean;
  onToggle: () => void;
  onGoLive: () => void;
  onQuality: (index: number) => void;
  onVolume: (volume: number) => void;
  onMute: () => void;
  onFull: () => void;
  onHelp: () => void;
  onPip?: () => void;
  onTheatre?: () => void;
}

export function Controls(props: ControlsProps) {
  const { state, paused, sound, full, theatre, preview, onTheatre, onPip } = props;
  return (
    <div className="player-controls">
      <IconButton icon={paused ? "play" : "pause"} label={paused ? "Play (k)" : "Pause (k)"} onClick={props.onToggle} data-testid="play" />
      {!preview && (
        <div className="player-volume">
          <IconButton icon={sound.muted ? "muted" : "volume"} label={sound.muted ? "Unmute (m)" : "Mute (m)"} onClick={props.onMute} data-testid="mute" />
          <input type="range" min={0} max={100} step={1} aria-label="Volume" value={sound.muted ? 0 : Math.round(sound.volume * 100)} onChange={(event) => props.onVolume(Number(event.target.value) / 100)} />
        </div>
      )}
      <LiveButton state={state} onGoLive={props.onGoLive} />
      <span className="player-space" />
      {state.qualities.length > 0 && <QualityMenu state={state} onQuality={props.onQuality} />}
      {!preview && <IconButton className="player-wide-only" icon="help" label="Keyboard (?)" onClick={props.onHelp} />}
      {onPip && <IconButton className="player-wide-only" icon="pip" label="Picture in picture (i)" onClick={onPip} />}
      {onTheatre && <IconButton className="player-wide-only" icon="theatre" label={theatre ? "Leave theatre (t)" : "Theatre (t)"} aria-pressed={theatre} onClick={onTheatre} data-testid="theatre" />}
      <IconButton icon={full ? "unfull" : "full"} label={full ? "Leave full screen (f)" : "Full screen (f)"} onClick={props.onFull} data-testid="fullscreen" />
    </div>
  );
}

function LiveButton({ state, onGoLive }: { state: PlaybackState; onGoLive: () => void }) {
  const { latencySeconds, behind } = state;
  if (latencySeconds === null) return null;
  const seconds = `${latencySeconds.toFixed(1)} s`;
  if (behind) {
    return <button type="button" className="player-live player-behind" onClick={onGoLive} data-testid="go-live">Go live <span>{seconds} behind</span></button>;
  }
  return (
    <span className="player-live" title="How long after the stage this picture is" data-testid="latency" data-seconds={latencySeconds}>
      <span className="player-dot" aria-hidden="true" />Live <span>{seconds}<span className="sr-only"> behind the stage</span></span>
    </span>
  );
}

function QualityMenu({ state, onQuality }: { state: PlaybackState; onQuality: (index: number) => void }) {
  const auto = state.playing && state.quality === -1 ? `Auto (${state.playing})` : "Auto";
  const choices = [{ index: -1, label: auto }, ...state.qualities];
  return (
    <Menu label="Quality" side="above" trigger={<Icon name="settings" />} testId="quality">
      {(close) =>
        choices.map(({ index, label }) => (
          <button key={index} type="button" role="menuitemradio" tabIndex={-1} aria-checked={state.quality === index} className="menu-item" onClick={() => { onQuality(index); close(); }}>
            {label}
            {state.quality === index && <span className="menu-check"><Icon name="check" size={18} /></span>}
          </button>
        ))
      }
    </Menu>
  );
}
