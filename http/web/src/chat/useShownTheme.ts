/** The theme that is on the screen: the one chosen, or the device's. */
import { useSyncExternalStore } from "react";

const dark = () => window.matchMedia("(prefers-color-scheme: dark)");

function listen(listener: () => void): () => void {
  const chosen = new MutationObserver(listener);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const device = dark();
  device.addEventListener("change", listener);
  return () => {
    chosen.disconnect();
    device.removeEventListener("change", listener);
  };
}

function read(): "light" | "dark" {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return dark().matches ? "dark" : "light";
}

export const useShownTheme = () => useSyncExternalStore(listen, read);
