/** A number that changes when something was bought, here or in another tab, while something was refused: ask for it anew. */
import { useEffect, useRef, useState } from "react";
import { useSession } from "./SessionProvider";

export function useRound(refused: boolean): number {
  const { rights } = useSession();
  const [round, setRound] = useState(0);
  const latest = useRef(refused);
  latest.current = refused;
  useEffect(() => {
    if (latest.current) setRound(rights);
  }, [rights]);
  return round;
}
