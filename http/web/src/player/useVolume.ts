/** Volume and mute of one video, remembered for the next one. Browsers may refuse sound until the page was pressed. */
import { useCallback, useEffect, useState, type RefObject } from "react";

interface Sound {
  volume: number;
  muted: boolean;
}

const KEY = "footlight.sound";

export function readSound(text: string | null): Sound {
  try {
    const { volume, muted } = JSON.parse(text ?? "") as Partial<Sound>;
    if (typeof volume === "number" && volume >= 0 && volume <= 1) return { volume, muted: muted !== false };
  } catch {
    // Nothing remembered, or not by us.
  }
  return { volume: 0.8, muted: true };
}

const remembered = (): Sound => {
  try {
    return readSound(localStorage.getItem(KEY));
  } catch {
    return readSound(null);
  }
};

export function useVolume(video: RefObject<HTMLVideoElement | null>, { silent = false } = {}) {
  const [sound, setSound] = useState<Sound>(() => (silent ? { volume: 0.8, muted: true } : remembered()));

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.volume = sound.volume;
    element.muted = sound.muted;
  }, [video, sound]);

  const change = useCallback(
    (next: Partial<Sound>) => {
      setSound((known) => {
        const made = { ...known, ...next };
        try {
          if (!silent) localStorage.setItem(KEY, JSON.stringify(made));
        } catch {
          // Storage can be forbidden; the volume is then for this page only.
        }
        return made;
      });
    },
    [silent],
  );

  /** Start to play; without sound when the browser forbids it, which does not change what is remembered. */
  const play = useCallback(() => {
    const element = video.current;
    element?.play().catch((reason: unknown) => {
      if (!(reason instanceof DOMException) || reason.name !== "NotAllowedError" || element.muted) return;
      setSound((known) => ({ ...known, muted: true }));
      element.muted = true;
      element.play().catch(() => {});
    });
  }, [video]);

  return { sound, change, play };
}
