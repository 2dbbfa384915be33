/** What happened, by the day it happened on, in the order it is given. */

const words: Intl.DateTimeFormatOptions = { weekday: "long", day: "numeric", month: "long" };

/** "Today", "Yesterday", "Monday, November 16", and with the year when it is another one. */
export function dayWords(iso: string, now = Date.now()): string {
  const day = new Date(iso);
  const today = new Date(now);
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (day.toDateString() === today.toDateString()) return "Today";
  if (day.toDateString() === yesterday.toDateString()) return "Yesterday";
  return day.toLocaleDateString([], day.getFullYear() === today.getFullYear() ? words : { ...words, year: "numeric" });
}

export function byDay<Item>(items: Item[], when: (item: Item) => string, now = Date.now()): [string, Item[]][] {
  const days = new Map<string, Item[]>();
  for (const item of items) {
    const day = dayWords(when(item), now);
    days.set(day, [...(days.get(day) ?? []), item]);
  }
  return [...days];
}
