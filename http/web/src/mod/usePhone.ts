import { useSyncExternalStore } from "react";

/** Below this two columns do not fit beside each other. */
const NARROW = "(max-width: 719px)";

const subscribe = (listener: () => void) => {
  const query = matchMedia(NARROW);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
};

/** Whether columns become tabs. */
export const usePhone = () => useSyncExternalStore(subscribe, () => matchMedia(NARROW).matches);
