/** What a screen reader is told: at most one announcement in three seconds, and that one sums up what came meanwhile. */
export const EVERY_MS = 3000;

export type News = { kind: "message" } | { kind: "held" } | { kind: "removed" } | { kind: "done"; words: string };

const count = (number: number, one: string, many: string) => (number === 1 ? `1 ${one}` : `${number} ${many}`);

/** One sentence for all of it: what one did oneself first and in full, the rest as numbers. */
export function summary(news: readonly News[]): string {
  const done = news.flatMap((one) => (one.kind === "done" ? [one.words] : []));
  const numbers = (["held", "removed", "message"] as const).flatMap((kind) => {
    const number = news.filter((one) => one.kind === kind).length;
    if (number === 0) return [];
    if (kind === "held") return [count(number, "message waits for you", "messages wait for you")];
    return [kind === "removed" ? count(number, "message removed", "messages removed") : count(number, "new message", "new messages")];
  });
  return [...done.slice(-2), ...numbers].map((words) => words.replace(/[.\s]*$/, ".")).join(" ");
}

/** Say at once when it was quiet, else once the time is over; `stop` forgets what waits. */
export function speaker(say: (words: string) => void, everyMs = EVERY_MS) {
  let waiting: News[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    timer = null;
    if (waiting.length === 0) return;
    say(summary(waiting));
    waiting = [];
    timer = setTimeout(flush, everyMs);
  };
  return {
    tell(news: News) {
      waiting.push(news);
      // A flood needs no list, only its count; this is far above what one sentence can use.
      if (waiting.length > 5000) waiting = waiting.slice(-5000);
      timer ??= setTimeout(flush, 0);
    },
    stop() {
      if (timer) clearTimeout(timer);
      timer = null;
      waiting = [];
    },
  };
}
