import { expect, test } from "vitest";
import type { HeldMessage } from "../realtime/events";
import { asked, granted, heard, pieces, refused, reread, undecided, type HeldLine } from "./held";

const held = (id: string, more: Partial<HeldMessage> = {}): HeldMessage => ({
  id, stream_id: "s1", user: { id: "u1", name: "Ada", role: "viewer" }, text: "a bad word", at: 0, expires_at: 300_000, findings: [], claimed_by: null, claimed_until: null, ...more,
}) as HeldMessage;
const fates = (lines: HeldLine[]) => lines.map((line) => `${line.id} ${line.fate}`);
const both = reread([], [held("h1"), held("h2")]);

test("approved is shown at once, and taken back with the reason when it is refused", () => {
  const shown = asked(both, "h1", "approved");
  expect(fates(shown)).toEqual(["h1 approved", "h2 waiting"]);
  expect(granted(shown, "h1")[0]?.mine).toBe(false);
  const back = refused(shown, "h1", "Another moderator is looking at this message.");
  expect(back[0]).toMatchObject({ fate: "waiting", refusal: "Another moderator is looking at this message." });
});

test("what the room tells changes the queue, and what is decided or over leaves it", () => {
  let lines = heard(both, { stream_id: "s1", change: "added", held: held("h3") });
  lines = heard(lines, { stream_id: "s1", change: "denied", held: held("h1") });
  expect(undecided(lines, 1).map((line) => line.id)).toEqual(["h2", "h3"]);
  expect(undecided(lines, 300_000)).toEqual([]);
});

test("read again after a reconnect: gone is what is not in it, and what was asked stays asked", () => {
  const lines = reread(asked(both, "h2", "denied"), [held("h2"), held("h4")]);
  expect(fates(lines)).toEqual(["h1 gone", "h2 denied", "h4 waiting"]);
});

test("findings are cut out by characters, also where they overlap", () => {
  const finding = (start: number, end: number) => ({ code: "term", detail: "", start, end });
  expect(pieces("😀 bad word", [finding(2, 5)]).map((piece) => [piece.text, piece.findings.length])).toEqual([["😀 ", 0], ["bad", 1], [" word", 0]]);
  expect(pieces("abcd", [finding(0, 3), finding(2, 4)]).map((piece) => [piece.text, piece.findings.length])).toEqual([["ab", 1], ["c", 2], ["d", 1]]);
  expect(pieces("abc", [finding(0, 0), finding(5, 9)]).map((piece) => [piece.text, piece.findings.length])).toEqual([["abc", 0]]);
});
