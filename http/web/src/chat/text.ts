/** What chat needs to know about a text. Pure. */

/** The length the server counts: code points after normalisation and trimming. */
export const messageLength = (text: string) => Array.from(text.normalize("NFC").trim()).length;

/** Whether the text names this person with an @. */
export function mentions(text: string, name: string | null): boolean {
  if (!name) return false;
  const wanted = `@${name.toLocaleLowerCase()}`;
  const where = text.toLocaleLowerCase().indexOf(wanted);
  if (where < 0) return false;
  const after = text.slice(where + wanted.length, where + wanted.length + 1);
  return !/[\p{L}\p{N}_-]/u.test(after);
}

/** "in 3 s"; never 0 while there is something left to wait. */
export const waitSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
