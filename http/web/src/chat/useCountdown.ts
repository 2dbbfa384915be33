import { useEffect, useState } from "react";

/** Milliseconds until then, told four times a second while there are any; 0 afterwards and for null. */
export function useCountdown(until: number | null): number {
  const [, setTick] = useState(0);
  const left = until === null ? 0 : Math.max(0, until - Date.now());
  const counting = left > 0;
  useEffect(() => {
    if (!counting) return;
    const timer = setInterval(() => setTick((tick) => tick + 1), 250);
    return () => clearInterval(timer);
  }, [counting, until]);
  return left;
}

/** 75_000 -> "1:15", 7_300_000 -> "2 h 2 min", days -> "3 days". */
export function waitWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.ceil(hours / 24)} days`;
}
