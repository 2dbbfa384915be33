import { useEffect, useState } from "react";

/** True once `now` has been true for so long without a break; false at once when it is not. */
export function useLasting(now: boolean, afterMs: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!now) return setLasting(false);
    const timer = setTimeout(() => setLasting(true), afterMs);
    return () => clearTimeout(timer);
  }, [now, afterMs]);
  return now && lasting;
}
