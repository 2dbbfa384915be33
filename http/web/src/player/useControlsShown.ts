import { useCallback, useEffect, useRef, useState } from "react";

const CALM_MS = 3000;

/** Controls hide after three still seconds, never while `pinned`. */
export function useControlsShown(pinned: boolean): [boolean, () => void] {
  const [shown, setShown] = useState(true);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wake = useCallback(() => {
    setShown(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setShown(false), CALM_MS);
  }, []);
  useEffect(() => {
    wake();
    return () => clearTimeout(timer.current);
  }, [wake]);
  return [shown || pinned, wake];
}
