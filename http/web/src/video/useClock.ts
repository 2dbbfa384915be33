/** Where a <video> is, how long it is and what of it is there, as often as that changes what one sees. */
import { useEffect, useState, type RefObject } from "react";

export interface Clock {
  position: number;
  duration: number;
  /** Seconds up to which it is loaded, from the position on. */
  loaded: number;
  paused: boolean;
}

const EVENTS = ["timeupdate", "durationchange", "progress", "seeking", "seeked", "play", "pause", "ended", "loadedmetadata"];

export function useClock(video: RefObject<HTMLVideoElement | null>): Clock {
  const [clock, setClock] = useState<Clock>({ position: 0, duration: 0, loaded: 0, paused: true });
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const look = () => {
      const { currentTime, duration, paused } = element;
      setClock({ position: currentTime, duration: Number.isFinite(duration) ? duration : 0, loaded: loadedTo(element), paused });
    };
    for (const name of EVENTS) element.addEventListener(name, look);
    return () => {
      for (const name of EVENTS) element.removeEventListener(name, look);
    };
  }, [video]);
  return clock;
}

function loadedTo({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) >= currentTime) return buffered.end(index);
  }
  return currentTime;
}
