/** How far behind the stage a viewer is, and whether the picture hangs. Pure: the clock is passed in. */

export interface Progress {
  position: number;
  /** Unix ms when the position last changed. */
  movedAt: number;
}

/** Longer than any wait that mends itself, shorter than a person's patience. */
const STUCK_MS = 8_000;
/** Beyond the target by this much, "Go live" is worth a press. */
const BEHIND_SECONDS = 3;
/** A wall clock that is off by more than this says nothing about latency. */
const CLOCK_TRUST_SECONDS = 4;

/** True when newer media exists and the picture has not moved: waiting longer does not help. */
export function stuck(progress: Progress, now: number, newest: number | null): boolean {
  if (newest === null || newest - progress.position < 1) return false;
  return now - progress.movedAt > STUCK_MS;
}

interface Sample {
  /** Seconds behind the playlist's end, as hls.js has it. */
  latency: number;
  target: number | null;
  /** The wall clock time painted on the frame by the encoder side, Unix ms. */
  playingDate: number | null;
  now: number;
  paused: boolean;
}

export function behindLive({ latency, target, playingDate, now, paused }: Sample): { latencySeconds: number | null; behind: boolean } {
  if (!Number.isFinite(latency) || latency <= 0) return { latencySeconds: null, behind: false };
  // The programme clock counts the whole way from the encoder, if this machine's clock can be believed.
  const whole = playingDate === null ? null : (now - playingDate) / 1000;
  const believable = whole !== null && whole > 0 && Math.abs(whole - latency) < CLOCK_TRUST_SECONDS;
  const seconds = Math.round((believable ? whole : latency) * 10) / 10;
  return { latencySeconds: seconds, behind: paused ? latency > BEHIND_SECONDS : latency > (target ?? 3) + BEHIND_SECONDS };
}
