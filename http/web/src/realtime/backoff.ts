/** How long to wait before try number `attempt` (from 0): doubling up to a ceiling, and never all clients at once. */
export function backoffMs(attempt: number, { first = 1000, most = 15_000, random = Math.random } = {}): number {
  const full = Math.min(most, first * 2 ** Math.min(attempt, 20));
  return Math.round(full / 2 + (full / 2) * random());
}
