import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import { useRound } from "../session/useRound";
import { initialRecorded, Recorded } from "./recorded";

interface Wanted {
  videoId: string;
  from: number | null;
  /** How many qualities the video has by now: when there are more than are played, they are taken. */
  made: number;
  isReady: boolean;
  play: () => void;
}

export function useRecorded(video: RefObject<HTMLVideoElement | null>, { videoId, from, made, isReady, play }: Wanted) {
  const [state, setState] = useState(initialRecorded);
  const recorded = useRef<Recorded | null>(null);
  const begin = useRef(from);
  const pausedByPerson = useRef(false);
  const round = useRound(state.phase === "refused");

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const running = new Recorded(element, videoId, begin.current, setState, play, () => !pausedByPerson.current);
    recorded.current = running;
    running.start();
    return () => {
      running.stop();
      recorded.current = null;
      setState(initialRecorded);
    };
  }, [video, videoId, play, round]);

  const wasReady = useRef(isReady);
  useEffect(() => {
    if (isReady && !wasReady.current) recorded.current?.refresh();
    wasReady.current = isReady;
  }, [isReady]);

  const known = useRef(made);
  useEffect(() => {
    if (made > known.current) recorded.current?.again();
    known.current = made;
  }, [made]);

  const setQuality = useCallback((index: number) => recorded.current?.setQuality(index), []);
  const hurry = useCallback(() => recorded.current?.hurry(), []);
  const toggle = () => {
    const element = video.current;
    if (!element) return;
    pausedByPerson.current = !element.paused;
    if (element.paused) play();
    else element.pause();
  };
  return { state, setQuality, hurry, toggle };
}
