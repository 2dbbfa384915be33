/** Where one is in the video, and where one could go: a slider with the picture of the moment one points at. */
import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { clock as clockWords } from "../ui/time";
import type { Clock } from "./useClock";
import { tileAt, type Tile } from "./storyboard";

interface SeekProps {
  clock: Clock;
  /** How long the whole video is, while only its beginning may be there. */
  whole: number;
  tiles: readonly Tile[];
  onSeek: (seconds: number) => void;
}

const PREVIEW_WIDTH = 160;

export function SeekBar({ clock, whole, tiles, onSeek }: SeekProps) {
  const bar = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const [dragging, setDragging] = useState(false);
  const length = Math.max(whole, clock.duration, 0.1);
  const part = (seconds: number) => `${Math.min(100, (seconds / length) * 100)}%`;

  const under = (event: PointerEvent) => {
    const box = bar.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * length;
  };
  /** Only what is made can be shown. */
  const seek = (seconds: number) => onSeek(Math.min(seconds, clock.duration || seconds));
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowLeft: clock.position - 5, ArrowRight: clock.position + 5, PageUp: clock.position + 60, PageDown: clock.position - 60, Home: 0, End: length }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    seek(Math.max(0, to));
  };

  return (
    <div
      ref={bar} className="seek" role="slider" tabIndex={0} aria-label="Seek"
      aria-valuemin={0} aria-valuemax={Math.round(length)} aria-valuenow={Math.round(clock.position)}
      aria-valuetext={`${clockWords(clock.position)} of ${clockWords(length)}`} data-testid="seek"
      onKeyDown={onKeyDown}
      onPointerMove={(event) => {
        const seconds = under(event);
        setPointed(seconds);
        if (dragging) seek(seconds);
      }}
      onPointerLeave={() => setPointed(null)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDragging(true);
        seek(under(event));
      }}
      onPointerUp={() => setDragging(false)}
      onPointerCancel={() => setDragging(false)}
    >
      <div className="seek-track">
        {clock.duration > 0 && clock.duration < whole - 1 && <span className="seek-missing" style={{ left: part(clock.duration) }} title="Still being made" />}
        <span className="seek-loaded" style={{ width: part(clock.loaded) }} />
        <span className="seek-done" style={{ width: part(clock.position) }} />
        <span className="seek-knob" style={{ left: part(clock.position) }} />
      </div>
      {pointed !== null && <Preview seconds={pointed} at={part(pointed)} tile={tileAt(tiles, pointed)} />}
    </div>
  );
}

function Preview({ seconds, at, tile }: { seconds: number; at: string; tile: Tile | null }) {
  const shift = `clamp(0px, calc(${at} - ${PREVIEW_WIDTH / 2}px), calc(100% - ${PREVIEW_WIDTH}px))`;
  return (
    <div className="seek-preview" style={{ left: shift, width: PREVIEW_WIDTH }} aria-hidden="true">
      {tile && <span style={{ display: "block", width: tile.width, height: tile.height, background: `url("${tile.url}") -${tile.x}px -${tile.y}px` }} />}
      <span>{clockWords(seconds)}</span>
    </div>
  );
}
