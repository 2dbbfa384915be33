// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { HeldMessage } from "../realtime/events";
import { decide, decideHeld, parseDuration, type Target } from "./deeds";
import { GROUPS, readKey, takenElsewhere, type KeyDeed } from "./keys";

const target: Target = { userId: "u1", name: "Ada", messageId: "m1", text: "hello" };
const held = {
  id: "h1", stream_id: "s1", user: { id: "u1", name: "Ada", role: "viewer" as const }, text: "hello", at: 0, expires_at: 300_000,
  findings: [], claimed_by: null, claimed_until: null,
} as unknown as HeldMessage;
const done = (key: string) => decide(readKey(key, false).deed!, target);

test("each key is the command it says, about the line that was selected", () => {
  expect(done("d")).toEqual({ command: { type: "delete", body: { user_id: "u1", message_id: "m1" } }, lineId: "m1" });
  expect(done("p")).toEqual({ command: { type: "pin", body: { user_id: "u1", message_id: "m1" } }, lineId: "m1" });
  for (const [key, kind] of [["t", "timeout"], ["b", "ban"], ["w", "warn"]] as const) expect(done(key)).toEqual({ ask: { kind, target } });
});

test("a held message is approved, denied, claimed and released", () => {
  const on = (key: string, by: HeldMessage["user"] | null = null) => decideHeld(readKey(key, false).deed!, { ...held, claimed_by: by }, "me");
  expect(on("a")).toEqual({ command: { type: "approve", body: { held_id: "h1" } }, lineId: "h1" });
  expect(on("x")).toEqual({ command: { type: "deny", body: { held_id: "h1" } }, lineId: "h1" });
  expect(on("c")).toEqual({ command: { type: "claim", body: { held_id: "h1" } } });
  expect(on("c", { ...held.user, id: "me" })).toEqual({ command: { type: "claim", body: { held_id: "h1", release: true } } });
  expect(on("d")).toHaveProperty("refuse");
  expect(on("b")).toMatchObject({ ask: { kind: "ban", target: { userId: "u1" } } });
});

test("what is gone cannot be deleted, but whoever said it can be banned", () => {
  const gone = { userId: "u1", name: "Ada" };
  expect(decide("delete", gone)).toHaveProperty("refuse");
  expect(decide("ban", gone)).toHaveProperty("ask");
});

test("g and a digit go to a column, a digit alone does nothing", () => {
  expect(readKey("g", false)).toEqual({ deed: null, going: true });
  expect(readKey("3", true)).toEqual({ deed: "column3", going: false });
  expect(readKey("3", false)).toEqual({ deed: null, going: false });
  expect(readKey("x", true)).toEqual({ deed: "deny", going: false });
});

test("every key stands for one thing", () => {
  const keys = GROUPS.flatMap((group) => group.shortcuts.flatMap((shortcut) => shortcut.keys));
  expect(new Set(keys).size).toBe(keys.length);
  const deeds = GROUPS.flatMap((group) => group.shortcuts.map((shortcut): KeyDeed => shortcut.deed));
  expect(new Set(deeds).size).toBe(deeds.length);
});

test("no key is ours while typing, and a button keeps its own", () => {
  document.body.innerHTML = `<input id="i"><textarea id="t"></textarea><select id="s"></select><p contenteditable="true"><b id="e"></b></p>
    <button id="b"></button><dialog><p id="d"></p></dialog><div role="menu"><p id="m"></p></div><div id="free"></div>`;
  const at = (id: string) => document.getElementById(id);
  for (const id of ["i", "t", "s", "e", "d", "m"]) for (const key of ["d", "b", "Enter", "Escape", "?"]) expect(takenElsewhere(at(id), key)).toBe(true);
  expect(takenElsewhere(at("b"), "Enter")).toBe(true);
  expect(takenElsewhere(at("b"), "d")).toBe(false);
  expect(takenElsewhere(at("free"), "Enter")).toBe(false);
});

test("lengths are read with their unit and within bounds", () => {
  expect(["90", "90s", "5m", "2H", "3d", "1w"].map(parseDuration)).toEqual([90, 90, 300, 7200, 259_200, 604_800]);
  expect(["", "0", "15d", "-1", "5x", "m"].map(parseDuration)).toEqual([null, null, null, null, null, null]);
});
