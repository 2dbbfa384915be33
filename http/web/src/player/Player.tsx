/** The player of a live stream: the picture, what state it is in, and the controls. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Latency, StreamStatus } from "../api/types";
import { Poster } from "../ui/Poster";
import { Controls } from "./Controls";
import { KeyboardSheet } from "./KeyboardSheet";
import { PlayerNotice } from "./PlayerNotice";
import { useFullscreen, usePictureInPicture } from "./screen";
import { useControlsShown } from "./useControlsShown";
import { usePlayback } from "./usePlayback";
import { usePlayerKeys } from "./usePlayerKeys";
import { useVolume } from "./useVolume";
import "../ui/badges.css";
import "./player.css";

interface PlayerProps {
  streamId: string;
  title: string;
  creatorName: string;
  latency: Latency;
  status: StreamStatus;
  /** A creator's preview: always silent, no theatre, no page-wide keys. */
  preview?: boolean;
  theatre?: boolean;
  onTheatre?: () => void;
  /** What to show over the picture when the stream is over. */
  afterEnd?: ReactNode;
}

/** After the end is announced, the seconds still in the buffer are played. */
const LAST_WORDS_MS = 8_000;

export function Player({ streamId, title, creatorName, latency, status, preview = false, theatre = false, onTheatre, afterEnd }: PlayerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const { sound, change, play } = useVolume(video, { silent: preview });
  const { state, toggle, goLive, setQuality } = usePlayback(video, { streamId, latency, status, play });
  const [paused, setPaused] = useState(true);
  const [started, setStarted] = useState(false);
  const [sheet, setSheet] = useState(false);
  const [full, toggleFull] = useFullscreen(frame, video);
  const [canPip, togglePip] = usePictureInPicture(video);
  const over = useOver(status, state.phase);
  const [shown, wake] = useControlsShown(paused || over);

  const setMuted = (muted: boolean) => change({ muted, ...(!muted && sound.volume === 0 ? { volume: 0.5 } : {}) });
  usePlayerKeys(frame, !preview, {
    toggle, goLive, full: toggleFull, pip: togglePip, help: () => setSheet(true),
    mute: () => setMuted(!sound.muted),
    theatre: () => onTheatre?.(),
    louder: (by) => change({ volume: Math.min(1, Math.max(0, sound.volume + by)), muted: false }),
  });

  return (
    <div
      ref={frame}
      className={`player ${shown ? "" : "player-calm"}`}
      tabIndex={-1}
      role="region"
      aria-label={`Player: ${title}`}
      onPointerMove={wake}
      onPointerDown={wake}
      onFocus={wake}
      data-testid="player"
      data-phase={over ? "ended" : state.phase}
    >
      <video
        ref={video}
        data-testid="video"
        playsInline
        autoPlay={false}
        muted
        aria-label={title}
        onPlay={() => setPaused(false)}
        onPause={() => setPaused(true)}
        onPlaying={() => setStarted(true)}
        onClick={(event) => {
          // A touch first shows the controls; only a mouse press on the picture pauses.
          if ((event.nativeEvent as PointerEvent).pointerType !== "touch") toggle();
        }}
      />
      {!started && <Poster id={streamId} name={creatorName} />}
      <PlayerNotice
        phase={state.phase}
        status={status}
        over={over}
        started={started}
        paused={paused}
        muted={sound.muted && !preview}
        afterEnd={afterEnd}
        onUnmute={() => setMuted(false)}
        onPlay={toggle}
      />
      {!over && (
        <Controls
          state={state} paused={paused} sound={sound} full={full} theatre={theatre} preview={preview}
          onToggle={toggle} onGoLive={goLive} onQuality={setQuality} onVolume={(volume) => change({ volume, muted: volume === 0 })}
          onMute={() => setMuted(!sound.muted)} onFull={toggleFull} onHelp={() => setSheet(true)}
          {...(canPip && { onPip: togglePip })}
          {...(onTheatre && { onTheatre })}
        />
      )}
      <KeyboardSheet open={sheet} onClose={() => setSheet(false)} />
    </div>
  );
}

/** Over for the eye: at once for who comes late, after the last buffered seconds for who watched. */
function useOver(status: StreamStatus, phase: string): boolean {
  const [waited, setWaited] = useState(status === "ended");
  useEffect(() => {
    if (status !== "ended") {
      setWaited(false);
      return;
    }
    const timer = setTimeout(() => setWaited(true), LAST_WORDS_MS);
    return () => clearTimeout(timer);
  }, [status]);
  const watching = phase === "playing";
  return phase === "over" || (status === "ended" && (waited || !watching));
}
