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

interface Pace {
  /** Seconds behind where the player wants to be. */
  late: number;
  /** Seconds of media in hand. */
  ahead: number;
  rate: number;
}

/**
 * How fast to play so that a viewer comes back to the stage's time without hearing it. hls.js does not speed up while
 * less than a second is buffered, which in low latency is always: alone it stays 0.4 to 0.8 s further behind.
 */
export function paceFor({ late, ahead, rate }: Pace): number {
  const start = rate > 1 ? 0.05 : 0.15; // begin late, stop early: no flutter around the mark
  if (!(late > start) || ahead < 0.4) return 1;
  return late > 1 ? 1.25 : 1.08;
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
