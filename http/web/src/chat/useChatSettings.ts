/** How one likes the chat, kept in this browser and the same in every chat of the page. */
import { useSyncExternalStore } from "react";

export interface ChatSettings {
  size: "small" | "medium" | "large" | "huge";
  times: boolean;
  badges: boolean;
  /** A line where a message was removed. */
  removed: boolean;
  /** Fewer things that move. */
  calm: boolean;
}

const KEY = "footlight.chat";
export const plainChat: ChatSettings = { size: "medium", times: false, badges: true, removed: true, calm: false };

/** What was kept, with what is missing or wrong as it is by default. */
export function settingsFrom(kept: string | null): ChatSettings {
  let found: unknown = null;
  try {
    found = JSON.parse(kept ?? "null");
  } catch {
    // Somebody wrote it by hand.
  }
  const known = (found && typeof found === "object" ? found : {}) as Partial<Record<keyof ChatSettings, unknown>>;
  const on = (name: "times" | "badges" | "removed" | "calm") => (typeof known[name] === "boolean" ? known[name] : plainChat[name]);
  const size = ["small", "medium", "large", "huge"].includes(known.size as string) ? (known.size as ChatSettings["size"]) : plainChat.size;
  return { size, times: on("times"), badges: on("badges"), removed: on("removed"), calm: on("calm") };
}

let current: ChatSettings | null = null;
const listeners = new Set<() => void>();

function read(): ChatSettings {
  try {
    current ??= settingsFrom(localStorage.getItem(KEY));
  } catch {
    current ??= plainChat; // Storage can be forbidden; a choice is then for this page only.
  }
  return current;
}

function change(part: Partial<ChatSettings>): void {
  current = { ...read(), ...part };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // See above.
  }
  for (const listener of listeners) listener();
}

const listen = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export function useChatSettings(): [ChatSettings, (part: Partial<ChatSettings>) => void] {
  return [useSyncExternalStore(listen, read), change];
}
