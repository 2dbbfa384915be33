/** The player of a recorded video: the picture, what state it is in, and the controls. */
import { useCallback, useEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import type { Video } from "../api/videos";
import { useFullscreen, usePictureInPicture } from "../player/screen";
import { useControlsShown } from "../player/useControlsShown";
import { useVolume } from "../player/useVolume";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Poster } from "../ui/Poster";
import { clock as clockWords } from "../ui/time";
import { speedBeside, type Deed } from "./keys";
import { Refused } from "./Refused";
import { useCaptions } from "./useCaptions";
import { useClock } from "./useClock";
import { useRecorded } from "./useRecorded";
import { useStoryboard } from "./useStoryboard";
import { useVideoKeys } from "./useVideoKeys";
import { VideoControls } from "./VideoControls";
import { VideoKeySheet } from "./VideoKeySheet";
import "../player/player.css";
import "./video.css";

interface PlayerProps {
  video: Video;
  /** Seconds from the address, null for where the person stopped. */
  from: number | null;
  theatre: boolean;
  onTheatre: () => void;
  onPosition: (seconds: number) => void;
  afterEnd: ReactNode;
}

export function VideoPlayer({ video: shown, from, theatre, onTheatre, onPosition, afterEnd }: PlayerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const { sound, change, play } = useVolume(video);
  const { state, setQuality, hurry, toggle } = useRecorded(video, { videoId: shown.id, from, made: shown.playback_urls.length, isReady: shown.status === "ready", play });
  const clock = useClock(video);
  const tiles = useStoryboard(state.answer?.storyboard_url ?? null);
  const captions = useCaptions(state.answer?.captions ?? []);
  const [speed, setSpeed] = useSpeed(video);
  const [started, setStarted] = useState(false);
  const [sheet, setSheet] = useState(false);
  const [full, toggleFull] = useFullscreen(frame, video);
  const [canPip, togglePip] = usePictureInPicture(video);
  const over = state.phase === "over" && clock.paused;
  const [controlsShown, wake] = useControlsShown(clock.paused || over);
  const resumed = useResumed(state.answer?.resume_seconds ?? null, from, started);
  useEffect(() => onPosition(clock.position), [clock.position, onPosition]);

  const seek = (seconds: number) => {
    if (video.current) video.current.currentTime = Math.max(0, seconds);
  };
  const setMuted = (muted: boolean) => change({ muted, ...(!muted && sound.volume === 0 ? { volume: 0.5 } : {}) });
  const whole = state.answer?.duration_seconds ?? shown.metadata.duration;
  const act = (deed: Deed) => {
    wake();
    switch (deed.do) {
      case "toggle": return toggle();
      case "mute": return setMuted(!sound.muted);
      case "full": return toggleFull();
      case "pip": return togglePip();
      case "theatre": return onTheatre();
      case "help": return setSheet(true);
      case "captions": return captions.toggle();
      case "by": return seek(Math.min(clock.position + deed.seconds, clock.duration));
      case "to": return seek(deed.part * clock.duration);
      case "speed": return setSpeed(speedBeside(speed, deed.step));
      case "louder": return change({ volume: Math.min(1, Math.max(0, sound.volume + deed.by)), muted: false });
    }
  };
  useVideoKeys(frame, state.phase !== "refused", act);

  return (
    <div
      ref={frame} className={`player ${controlsShown ? "" : "player-calm"}`} tabIndex={-1} role="region" aria-label={`Player: ${shown.title}`}
      onPointerMove={wake} onPointerDown={wake} onFocus={wake} data-testid="player" data-phase={over ? "ended" : state.phase}
    >
      <video
        ref={video} data-testid="video" playsInline muted aria-label={shown.title} crossOrigin="use-credentials"
        onPlaying={() => setStarted(true)}
        onClick={(event) => {
          if ((event.nativeEvent as unknown as PointerEvent).pointerType !== "touch") toggle();
        }}
      >
        {captions.source && <Track key={captions.source} source={captions.source} language={captions.language ?? ""} />}
      </video>
      {!started && <Still video={shown} />}
      {state.phase === "refused" && state.refusal && <Refused error={state.refusal} video={shown} />}
      {state.phase === "unsupported" && <Words>This browser cannot play video. A current Chrome, Edge, Firefox or Safari can.</Words>}
      {(state.phase === "loading" || (state.phase === "buffering" && !clock.paused)) && <Words>Loading</Words>}
      {state.phase === "trouble" && <Trouble words={state.refusal?.message ?? "The picture cannot be loaded just now."} onRetry={hurry} />}
      {over && <div className="player-cover" data-testid="player-ended"><div className="player-cover-text"><Button look="primary" icon="retry" onClick={() => { seek(0); play(); }}>Watch again</Button>{afterEnd}</div></div>}
      {started && !clock.paused && sound.muted && <Button className="player-unmute" look="primary" icon="muted" onClick={() => setMuted(false)} data-testid="unmute">Unmute</Button>}
      {clock.paused && !over && state.answer && started && <button type="button" className="player-big" aria-label="Play" onClick={toggle}><Icon name="play" size={36} /></button>}
      {resumed !== null && <ResumeNote seconds={resumed} onOver={() => seek(0)} />}
      {state.phase !== "refused" && (
        <VideoControls
          state={state} clock={clock} whole={whole} tiles={tiles} sound={sound} full={full} theatre={theatre} speed={speed}
          captions={state.answer?.captions ?? []} language={captions.language}
          onToggle={toggle} onSeek={seek} onQuality={setQuality} onSpeed={setSpeed} onLanguage={captions.choose}
          onVolume={(volume) => change({ volume, muted: volume === 0 })} onMute={() => setMuted(!sound.muted)}
          onFull={toggleFull} onTheatre={onTheatre} onHelp={() => setSheet(true)} {...(canPip && { onPip: togglePip })}
        />
      )}
      <VideoKeySheet open={sheet} onClose={() => setSheet(false)} />
    </div>
  );
}

function Track({ source, language }: { source: string; language: string }) {
  const track = useRef<HTMLTrackElement>(null);
  useEffect(() => {
    if (track.current) track.current.track.mode = "showing";
  }, []);
  return <track ref={track} kind="captions" src={source} srcLang={language} default />;
}

function Still({ video }: { video: Video }) {
  const picture = video.metadata.thumbnails[0];
  return picture ? <img className="video-still" src={picture} alt="" /> : <Poster id={video.id} name={video.title} />;
}

function Trouble({ words, onRetry }: { words: string; onRetry: () => void }) {
  return (
    <div className="player-cover" data-testid="trouble"><div className="player-cover-text" role="status">
      <p>{words}</p>
      <Button look="primary" icon="retry" onClick={onRetry}>Try again</Button>
    </div></div>
  );
}

function Words({ children }: { children: ReactNode }) {
  return <div role="status" className="player-words"><p data-testid="player-words"><span className="pulse" aria-hidden="true" />{children}</p></div>;
}

const NOTE_MS = 8000;

/** Said for a while when the video began in the middle. */
function useResumed(resume: number | null, from: number | null, started: boolean): number | null {
  const [shown, setShown] = useState<number | null>(null);
  const first = useRef(resume);
  first.current ??= resume;
  useEffect(() => {
    const seconds = first.current;
    if (!started || from !== null || !seconds || seconds < 5) return;
    setShown(seconds);
    const timer = setTimeout(() => setShown(null), NOTE_MS);
    return () => clearTimeout(timer);
  }, [started, from]); // once: another quality is no new beginning
  return shown;
}

function ResumeNote({ seconds, onOver }: { seconds: number; onOver: () => void }) {
  const [gone, setGone] = useState(false);
  if (gone) return null;
  return (
    <p className="video-resumed" role="status" data-testid="resumed">
      Going on at {clockWords(seconds)}. <Button small onClick={() => { onOver(); setGone(true); }}>Start over</Button>
    </p>
  );
}

function useSpeed(video: RefObject<HTMLVideoElement | null>): [number, (speed: number) => void] {
  const [speed, setSpeed] = useState(1);
  const choose = useCallback(
    (next: number) => {
      setSpeed(next);
      if (video.current) video.current.playbackRate = next;
    },
    [video],
  );
  return [speed, choose];
}
