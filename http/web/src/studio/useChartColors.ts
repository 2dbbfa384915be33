/** The tokens a canvas needs, read again when the theme changes. */
import { useEffect, useState } from "react";

const TOKENS = { line: "--line", text: "--text", muted: "--muted", viewers: "--focus", messages: "--good", followers: "--accent-text", actions: "--danger", bitrate_kbps: "--line-strong", mark: "--muted", bg: "--surface" } as const;
export type ChartColors = Record<keyof typeof TOKENS, string>;

const read = () => {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(Object.entries(TOKENS).map(([name, token]) => [name, style.getPropertyValue(token).trim()])) as ChartColors;
};

export function useChartColors(): ChartColors {
  const [colors, setColors] = useState(read);
  useEffect(() => {
    const again = () => setColors(read());
    const chosen = new MutationObserver(again);
    chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", again);
    return () => {
      chosen.disconnect();
      system.removeEventListener("change", again);
    };
  }, []);
  return colors;
}
