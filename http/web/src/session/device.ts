/** A random name for this browser, so that its tabs count as one viewer. It says nothing about the person. */
const KEY = "footlight.device";

export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let forThisPage: string | null = null;

export function deviceId(): string {
  try {
    const known = localStorage.getItem(KEY);
    if (known && /^[A-Za-z0-9_-]{8,64}$/.test(known)) return known;
    const made = randomId();
    localStorage.setItem(KEY, made);
    return made;
  } catch {
    forThisPage ??= randomId();
    return forThisPage;
  }
}
