/** Stream keys of this visit. The server shows a key once; it is kept in this page's memory only, never stored. */
import { useSyncExternalStore } from "react";
import type { Ingest } from "../api/types";

const known = new Map<string, Ingest>();
const listeners = new Set<() => void>();

export function rememberIngest(streamId: string, ingest: Ingest): void {
  known.set(streamId, ingest);
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useIngest = (streamId: string): Ingest | null => useSyncExternalStore(subscribe, () => known.get(streamId) ?? null);
