/** What a pasted list of terms means. Pure. */
export const MIN_TERM = 2;
export const MAX_TERM = 500;

export interface Pasted {
  texts: string[];
  /** Lines that cannot be terms, in words. */
  problems: string[];
}

/** One term a line; blank lines and repeats are left out. */
export function pastedTerms(pasted: string, known: ReadonlySet<string>): Pasted {
  const texts: string[] = [];
  const problems: string[] = [];
  for (const line of pasted.split(/\r?\n/)) {
    const text = line.trim();
    const length = Array.from(text).length;
    if (length === 0 || known.has(text) || texts.includes(text)) continue;
    if (length < MIN_TERM || length > MAX_TERM) problems.push(`"${text.slice(0, 30)}" has ${length} ${length === 1 ? "character" : "characters"}; ${MIN_TERM} to ${MAX_TERM} can be a term.`);
    else texts.push(text);
  }
  return { texts, problems };
}
