/** The theme a person chose; "system" leaves it to the device. `public/theme.js` applies it before the first paint. */
import { useState } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "footlight.theme";

function readTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(readTheme);
  const choose = (next: Theme) => {
    setTheme(next);
    if (next === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = next;
    try {
      if (next === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Storage can be forbidden; the choice then lasts until the page is closed.
    }
  };
  return [theme, choose];
}
