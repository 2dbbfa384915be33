/** The top of a chart: a little above the most, never so low that one viewer fills it; half of it is a whole number. */
export function roof(most: number): number {
  const room = Math.max(4, most * 1.15);
  const unit = 10 ** Math.floor(Math.log10(room));
  return [1, 2, 3, 4, 6, 8, 10].map((times) => times * unit).find((height) => height >= room)!;
}
