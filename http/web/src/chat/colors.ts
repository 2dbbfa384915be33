/** The colour of a name: what somebody chose, moved until it can be read on this theme's background. Pure. */

type Rgb = [number, number, number];

/** The `--surface` and `--sunken` of styles/tokens.css that are hardest to read on. */
const BACKGROUND: Record<"light" | "dark", Rgb> = { light: [235, 232, 226], dark: [42, 40, 50] };

/** WCAG 2.2 AA asks 4.5 of text; a little more, as lines have other backgrounds too (own, called, chosen). */
const ENOUGH = 4.8;

function parse(color: string): Rgb | null {
  const digits = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (!digits) return null;
  const value = Number.parseInt(digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** `#rrggbb` that reads on the theme, as near to the wish as that allows; null for what is no colour. */
export function readable(color: string | null | undefined, theme: "light" | "dark"): string | null {
  const wish = color ? parse(color) : null;
  if (!wish) return null;
  const end: Rgb = theme === "dark" ? [255, 255, 255] : [0, 0, 0];
  for (let step = 0; step <= 20; step += 1) {
    const mixed = wish.map((part, index) => Math.round(part + ((end[index]! - part) * step) / 20)) as Rgb;
    if (contrast(mixed, BACKGROUND[theme]) >= ENOUGH) return `#${mixed.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  }
  return null;
}
