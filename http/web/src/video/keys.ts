/** What each key does on a page with a recorded video. Pure. */

export type Deed =
  | { do: "toggle" | "mute" | "full" | "pip" | "captions" | "help" | "theatre" }
  | { do: "by"; seconds: number }
  | { do: "to"; part: number }
  | { do: "speed"; step: 1 | -1 }
  | { do: "louder"; by: number };

const VOLUME_STEP = 0.05;

/** `onPlayer`: the focus is on the player; elsewhere arrows scroll. */
export function deedOf(key: string, onPlayer: boolean): Deed | null {
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case " ":
    case "k": return { do: "toggle" };
    case "j": return { do: "by", seconds: -10 };
    case "l": return { do: "by", seconds: 10 };
    case "m": return { do: "mute" };
    case "f": return { do: "full" };
    case "i": return { do: "pip" };
    case "c": return { do: "captions" };
    case "t": return { do: "theatre" };
    case "?": return { do: "help" };
    case "<": return { do: "speed", step: -1 };
    case ">": return { do: "speed", step: 1 };
    case "ArrowLeft": return onPlayer ? { do: "by", seconds: -5 } : null;
    case "ArrowRight": return onPlayer ? { do: "by", seconds: 5 } : null;
    case "ArrowUp": return onPlayer ? { do: "louder", by: VOLUME_STEP } : null;
    case "ArrowDown": return onPlayer ? { do: "louder", by: -VOLUME_STEP } : null;
    case "Home": return onPlayer ? { do: "to", part: 0 } : null;
    case "End": return onPlayer ? { do: "to", part: 1 } : null;
    default: return /^\d$/.test(key) ? { do: "to", part: Number(key) / 10 } : null;
  }
}

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

/** The next speed up or down; the same at either end. */
export function speedBeside(speed: number, step: 1 | -1): number {
  const here = SPEEDS.findIndex((each) => each >= speed);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, here + step))] ?? 1;
}
