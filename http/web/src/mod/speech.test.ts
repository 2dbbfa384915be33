import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EVERY_MS, speaker, summary } from "./speech";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("at most one announcement in three seconds, however much comes, and nothing is left out of the sums", () => {
  const said: { at: number; words: string }[] = [];
  const start = Date.now();
  const voice = speaker((words) => said.push({ at: Date.now() - start, words }));
  for (let ms = 0; ms < 10_000; ms += 20) {
    voice.tell({ kind: "message" });
    vi.advanceTimersByTime(20);
  }
  vi.advanceTimersByTime(EVERY_MS);
  for (const [index, one] of said.slice(1).entries()) expect(one.at - said[index]!.at).toBeGreaterThanOrEqual(EVERY_MS);
  expect(said.map(({ words }) => Number(words.split(" ")[0])).reduce((sum, number) => sum + number, 0)).toBe(500);
});

test("what one did is said at once and in full, the rest in numbers", () => {
  const said: string[] = [];
  const voice = speaker((words) => said.push(words));
  voice.tell({ kind: "done", words: "Ada is banned" });
  vi.advanceTimersByTime(1);
  expect(said).toEqual(["Ada is banned."]);
  expect(summary([{ kind: "message" }, { kind: "held" }, { kind: "held" }, { kind: "done", words: "Undone." }])).toBe("Undone. 2 messages wait for you. 1 new message.");
});

test("when it stops nothing more is said", () => {
  const say = vi.fn();
  const voice = speaker(say);
  voice.tell({ kind: "message" });
  voice.stop();
  vi.advanceTimersByTime(EVERY_MS * 2);
  expect(say).not.toHaveBeenCalled();
});
