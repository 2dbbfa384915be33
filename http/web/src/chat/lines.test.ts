import { describe, expect, test } from "vitest";
import type { Message, SlashCommand } from "../realtime/events";
import { COMMANDS } from "../realtime/events";
import type { Gone, Line } from "../realtime/fold";
import { plainSettings } from "../realtime/room";
import { ApiError } from "../api/errors";
import { contrast, readable } from "./colors";
import { commandHelp, completionAt, usersIn, type Known } from "./completion";
import { partsOf, type Emote } from "./emotes";
import { modesOf, slowMs } from "./modes";
import { powersOver } from "./powers";
import { explain } from "./refusals";
import { nextChoice, rowsOf } from "./rows";
import { settingsFrom, plainChat } from "./useChatSettings";
import { waitWords } from "./useCountdown";
import { withWriters } from "./usePeopleSeen";
import { indexAt, rowAt, shownRows } from "./window";

const ada = { id: "a", name: "Ada", role: "viewer" as const };
const said = (offset: number, user: Message["user"] = ada): Message => ({ kind: "message", offset, stream_id: "s", id: `m${offset}`, at: offset, user, text: `line ${offset}` });
const gone = (offset: number): Gone => ({ kind: "removed", offset, stream_id: "s" });
const room = (entries: Line[], more = {}) => ({ entries, dropped: 10, gaps: [] as number[], pending: [], ...more });

describe("which rows are laid out", () => {
  const heights = Array.from({ length: 1000 }, () => 30);

  test("without an anchor the newest, a screen and some more of them", () => {
    const shown = shownRows(heights, 600, null);
    expect(shown.end).toBe(1000);
    expect(1000 - shown.start).toBeLessThan(60);
    expect(shown.before + (shown.end - shown.start) * 30 + shown.after).toBe(30_000);
  });

  test("around an anchor both sides, and never all", () => {
    const shown = shownRows(heights, 600, { index: 500, offset: -10 });
    expect(shown.start).toBeLessThan(500);
    expect(shown.end).toBeGreaterThan(520);
    expect(shown.end - shown.start).toBeLessThan(80);
    expect(shown.before).toBe(shown.start * 30);
  });

  test("few rows are all there", () => expect(shownRows([30, 30], 600, null)).toEqual({ start: 0, end: 2, before: 0, after: 0 }));

  test("a row is found by its place and by its distance", () => {
    const rows = [{ order: 3 }, { order: 5 }, { order: 9 }];
    expect([0, 3, 6, 99].map((order) => indexAt(rows, order))).toEqual([0, 0, 1, 2]);
    expect(rowAt([10, 20, 30], 15)).toEqual({ index: 1, offset: -5 });
  });
});

describe("rows", () => {
  test("runs of removed lines are one, and a line keeps its number", () => {
    const rows = rowsOf(room([said(1), gone(2), gone(3), said(4)]));
    expect(rows.map((row) => [row.type, row.order])).toEqual([["said", 10], ["gone", 11], ["said", 13]]);
    expect(rows[1]).toMatchObject({ count: 2 });
  });

  test("who does not want to see them sees nothing of removed lines", () => {
    expect(rowsOf(room([gone(1), said(2)]), { hideRemoved: true }).map((row) => row.type)).toEqual(["said"]);
  });

  test("lines that are removed while the list is held keep rows of their own", () => {
    const apart = new Set([10, 11]);
    expect(rowsOf(room([gone(1), gone(2), gone(3), gone(4)]), { apart }).map((row) => [row.type, row.order])).toEqual([["gone", 10], ["gone", 11], ["gone", 12]]);
    expect(rowsOf(room([gone(1), said(2), gone(3)]), { apart, hideRemoved: true }).map((row) => row.order)).toEqual([10, 11]);
  });

  test("gaps and own messages stand where they belong", () => {
    const pending = [{ id: "p1", text: "", user: ada, at: 1, state: "held" as const }];
    expect(rowsOf(room([said(1)], { gaps: [10, 11], pending })).map((row) => row.type)).toEqual(["gap", "said", "gap", "pending"]);
  });

  test("arrows choose what somebody said, from the newest", () => {
    const rows = rowsOf(room([said(1), gone(2), said(3)]));
    expect(nextChoice(rows, null, -1)).toBe(12);
    expect(nextChoice(rows, 12, -1)).toBe(10);
    expect(nextChoice(rows, 10, -1)).toBe(null);
    expect(nextChoice(rows, 10, 1)).toBe(12);
  });
});

describe("completion", () => {
  const emote: Emote = { code: "wave", url: "/w.svg", label: "Waving", keywords: ["hello"] };
  const known: Known = { emotes: [emote], people: [{ id: "1", name: "Ada" }, { id: "2", name: "Max Adams" }], commands: COMMANDS };
  const inserts = (text: string) => completionAt(text, text.length, known)?.options.map((option) => option.insert);

  test.each([
    ["hi @ad", ["@Ada ", "@Max Adams "]],
    [":wa", [":wave: "]],
    ["hi :hel", [":wave: "]],
    ["/timeout ad", ["@Ada ", "@Max Adams "]],
    ["/poll ad", undefined],
    ["mail@ad", undefined],
    ["12:30", undefined],
    ["hello", undefined],
  ])("%j completes to %j", (text, expected) => expect(inserts(text)).toEqual(expected));

  test("a slash offers commands, by alias too", () => {
    expect(inserts("/tim")?.[0]).toBe("/timeout ");
    expect(inserts("/colou")).toContain("/color ");
    expect(completionAt("say /ban", 8, known)).toBe(null);
  });

  test("help is there once the name is written, and who was meant goes with the line", () => {
    expect(commandHelp("/ban ", COMMANDS)?.usage).toBe("/ban <user> [reason]");
    expect(commandHelp("/ban", COMMANDS)).toBe(null);
    expect(usersIn("/ban @max adams rude", new Map([["Max Adams", "2"], ["Ada L", "1"]]))).toEqual({ "Max Adams": "2" });
  });

  test("every command has words to show", () => {
    expect(COMMANDS.every((command: SlashCommand) => command.usage.startsWith(`/${command.name}`) && command.summary)).toBe(true);
  });
});

test("a text is cut into words, known emotes and mentions", () => {
  const emote: Emote = { code: "wave", url: "/w.svg", label: "", keywords: [] };
  const known = new Map([["wave", emote]]);
  expect(partsOf("hi :wave: :no: @ada lovelace, @Bob", known, "Ada Lovelace")).toEqual([
    { text: "hi " }, { emote }, { text: " :no: " }, { mention: "@ada lovelace", mine: true }, { text: ", " }, { mention: "@Bob", mine: false },
  ]);
});

test.each(["#000000", "#ffffff", "#1a1a80", "#ffff66", "#808080", "#ff0000"])("a name in %s can be read in both themes", (color) => {
  const rgb = (text: string) => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16)) as [number, number, number];
  expect(contrast(rgb(readable(color, "dark")!), [55, 42, 16])).toBeGreaterThanOrEqual(4.5);
  expect(contrast(rgb(readable(color, "light")!), [235, 232, 226])).toBeGreaterThanOrEqual(4.5);
});

test("what is no colour is none", () => expect([readable("red", "dark"), readable(null, "light"), readable(undefined, "dark")]).toEqual([null, null, null]));

describe("modes", () => {
  test("each that holds is said, the rest is not", () => {
    expect(modesOf(plainSettings)).toEqual([]);
    const all = { ...plainSettings, slow_seconds: 5, auto_slow_seconds: 10, followers_seconds: 600, subscribers_only: true, emote_only: true, unique_chat: true, delay_seconds: 4, shield: true, read_only: true };
    expect(modesOf(all).map((mode) => mode.short)).toEqual(["Read-only", "Shield mode", "Subscribers only", "Followers of 10 min", "Slow 10 s", "Emotes only", "Unique chat", "Delay 4 s"]);
    expect(modesOf({ ...plainSettings, followers_seconds: 0 })[0]?.short).toBe("Followers only");
  });

  test("slow mode is the greater of both, and not for who is exempt", () => {
    const me = { user: ada, may_chat: true, capabilities: ["chat"], restriction: null, warning: null, following_since: null };
    const slow = { ...plainSettings, slow_seconds: 5, auto_slow_seconds: 10 };
    expect(slowMs(slow, me)).toBe(10_000);
    expect(slowMs(slow, { ...me, capabilities: ["skip_modes"] })).toBe(0);
  });
});

describe("powers", () => {
  const me = (role: "moderator" | "creator" | "viewer", ...capabilities: string[]) => ({ user: { id: "me", name: "Me", role }, may_chat: true, capabilities, restriction: null, warning: null, following_since: null });

  test("moderators act on viewers, not on each other; viewers answer", () => {
    expect(powersOver(me("moderator", "moderate"), said(1))).toMatchObject({ moderate: true, pin: true, appoint: false });
    expect(powersOver(me("moderator", "moderate"), said(1, { ...ada, role: "moderator" })).moderate).toBe(false);
    expect(powersOver(me("creator", "moderate", "appoint"), said(1, { ...ada, role: "moderator" }))).toMatchObject({ moderate: true, appoint: true });
    expect(powersOver(me("viewer", "chat"), said(1))).toEqual({ reply: true, moderate: false, pin: false, appoint: false });
    expect(powersOver(null, said(1)).reply).toBe(false);
  });
});

test.each([
  ["chat.text_invalid", { reason: "too_long" }, "It is too long."],
  ["chat.followers_only", {}, "Said. Follow the channel to write."],
  ["chat.followers_only", { retry_after_ms: 120_000 }, "Said. You follow; you can write in 2 minutes."],
  ["command.unknown", { suggestion: "/ban" }, "There is no such command. Did you mean /ban?"],
  ["command.malformed", { usage: "/ban <user>" }, "Write it so: /ban <user>"],
  ["mod.ambiguous_user", {}, "Said. Type @ and choose."],
  ["chat.slow_mode", { retry_after_ms: 9000 }, "Said."],
  ["something.new", {}, "Said."],
])("%s explains itself", (code, details, words) => expect(explain(new ApiError(400, { code, message: "Said.", details }))).toBe(words));

test("kept settings that are wrong are as they are by default", () => {
  expect(settingsFrom(null)).toEqual(plainChat);
  expect(settingsFrom("{")).toEqual(plainChat);
  expect(settingsFrom('{"size":"enormous","times":true,"badges":1}')).toEqual({ ...plainChat, times: true });
});

test("a wait is said as people say it", () => {
  expect([400, 75_000, 7_300_000, 259_200_000].map(waitWords)).toEqual(["1 s", "1:15", "2 h 1 min", "3 days"]);
});

test("writers are known newest first, each once, also when their lines are gone", () => {
  const bob = { id: "b", name: "Bob", role: "viewer" as const };
  const known = withWriters([], [said(1), said(2, bob), said(3)]);
  expect(known.map((person) => person.id)).toEqual(["a", "b"]);
  expect(withWriters(known, [said(4, bob)]).map((person) => person.id)).toEqual(["b", "a"]);
});
