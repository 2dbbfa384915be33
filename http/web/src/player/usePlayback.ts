import { useEffect, useRef, useState, type RefObject } from "react";
import type { Latency, StreamStatus } from "../api/types";
import { useRound } from "../session/useRound";
import { initialPlayback, Playback } from "./playback";

interface Wanted {
  streamId: string;
  latency: Latency;
  status: StreamStatus;
  play: () => void;
}

/** Keeps a Playback running for this stream, and tells it when the stream's state says that there is news. */
export function usePlayback(video: RefObject<HTMLVideoElement | null>, { streamId, latency, status, play }: Wanted) {
  const [state, setState] = useState(initialPlayback);
  const playback = useRef<Playback | null>(null);
  const pausedByPerson = useRef(false);
  const round = useRound(state.phase === "refused");
  // Before the first picture there is nothing to ask for; of a stream that was over from the start, neither.
  const begun = status !== "created";
  const wasOver = useRef(status === "ended");

  useEffect(() => {
    const element = video.current;
    if (!element || !begun || wasOver.current) return;
    const running = new Playback(element, streamId, latency, setState, () => !pausedByPerson.current, play);
    playback.current = running;
    running.start();
    return () => {
      running.stop();
      playback.current = null;
      setState(initialPlayback);
    };
  }, [video, streamId, latency, play, begun, round]);

  useEffect(() => {
    if (status === "live") playback.current?.hurry();
  }, [status]);

  const toggle = () => {
    const element = video.current;
    if (!element) return;
    pausedByPerson.current = !element.paused;
    if (element.paused) play();
    else element.pause();
  };

  return {
    state,
    toggle,
    goLive: () => {
      pausedByPerson.current = false;
      playback.current?.goLive();
    },
    setQuality: (index: number) => playback.current?.setQuality(index),
  };
}
