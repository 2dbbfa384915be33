// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { createElement } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { emptyRoom, plainSettings, reduceRoom, type Room } from "../realtime/room";
import type { Entry, RoomJoined } from "../realtime/events";
import { MessageList } from "./MessageList";
import { useLasting } from "./useLasting";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function Notice({ on }: { on: boolean }) {
  return createElement("p", { role: "status" }, useLasting(on, 1000) ? "Catching up" : "");
}

const words = () => screen.getByRole("status").textContent;
const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms));

test("a short recovery is not mentioned, a long one is until it is over", () => {
  const { rerender } = render(<Notice on={true} />);
  pass(900);
  rerender(<Notice on={false} />);
  pass(500);
  expect(words()).toBe("");
  rerender(<Notice on={true} />);
  pass(900);
  expect(words()).toBe("");
  pass(200);
  expect(words()).toBe("Catching up");
  rerender(<Notice on={false} />);
  expect(words()).toBe("");
});

const ada = { id: "u1", name: "Ada", role: "viewer" as const };
const entry = (offset: number): Entry => ({ stream_id: "s1", offset, kind: "message", id: `m${offset}`, user: ada, text: `line ${offset}`, at: offset });
const answer = (epoch: string, entries: Entry[]): RoomJoined => ({
  ok: true, epoch, offset: entries.at(-1)?.offset ?? 0, recovered: false, entries, viewers: 1, peak: 1,
  stream: { id: "s1", title: "", category: null, status: "live", creator: { id: "c1", display_name: "Cleo" } },
  settings: plainSettings, pin: null, poll: null, raid: null, on_top: [],
  me: { user: null, may_chat: false, capabilities: [], restriction: null, warning: null, following_since: null },
});
const after = (...answers: RoomJoined[]) => answers.reduce<Room>((room, one) => reduceRoom(room, { type: "joined", answer: one }), emptyRoom);
const list = (room: Room) => render(<MessageList room={room} onRetry={() => {}} onForget={() => {}} />);
const lines = () => screen.getAllByRole("listitem").map((line) => line.textContent?.match(/line \d+|Some.*/)?.[0]);

test("a divider stands where messages are missing for good, also when nothing came after it yet", () => {
  const { rerender } = list(after(answer("e1", [entry(1), entry(2)]), answer("e2", [])));
  expect(lines()).toEqual(["line 1", "line 2", "Some messages were missed"]);
  rerender(<MessageList room={after(answer("e1", [entry(1)]), answer("e2", [entry(9)]))} onRetry={() => {}} onForget={() => {}} />);
  expect(lines()).toEqual(["line 1", "Some messages were missed", "line 9"]);
});

test("no divider where nothing is missing", () => {
  list(after(answer("e1", [entry(1)]), answer("e1", [entry(1), entry(2)])));
  expect(screen.queryByTestId("chat-missed")).toBe(null);
});
