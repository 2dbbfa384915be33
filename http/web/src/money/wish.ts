/** Where somebody was when they went to pay, so that they can go on there. Kept for the tab, and only for a while. */
export interface Wish {
  /** A path of this site. */
  path: string;
  /** What it is called there: "the video", a channel's name. */
  name: string;
}

const KEY = "footlight.wish.";
const MOST = 20;

export function rememberWish(orderId: string, wish: Wish): void {
  try {
    const kept = Object.keys(sessionStorage).filter((key) => key.startsWith(KEY));
    for (const key of kept.slice(0, Math.max(0, kept.length - MOST))) sessionStorage.removeItem(key);
    sessionStorage.setItem(KEY + orderId, JSON.stringify(wish));
  } catch {
    // Storage can be forbidden; then the way onward leads to the home page.
  }
}

export function recallWish(orderId: string): Wish | null {
  try {
    const wish: unknown = JSON.parse(sessionStorage.getItem(KEY + orderId) ?? "null");
    if (typeof wish !== "object" || wish === null || !("path" in wish) || !("name" in wish)) return null;
    const { path, name } = wish as Record<string, unknown>;
    // A path of this site only: what is stored must not lead elsewhere.
    return typeof path === "string" && typeof name === "string" && /^\/(?![/\\])/.test(path) ? { path, name } : null;
  } catch {
    return null;
  }
}
