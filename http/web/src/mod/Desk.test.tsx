// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import type { Entry, HeldMessage } from "../realtime/events";
import { emptyRoom, reduceRoom, type Room } from "../realtime/room";
import Desk from "./Desk";

const CHANNEL = "11111111-1111-4111-8111-111111111111";
const CAPABILITIES = ["chat", "moderate", "settings", "see_private", "appoint", "own"];
const me = { id: "me", name: "Grace", role: "creator" as const };

/** The room and the server, as the desk sees them. */
const world = vi.hoisted(() => ({
  render: () => {},
  room: null as unknown,
  act: vi.fn(),
  command: vi.fn(),
  live: true,
  capabilities: [] as string[],
  held: [] as unknown[],
  listeners: new Set<(news: unknown) => void>(),
}));

vi.mock("../session/SessionProvider", () => ({ useSession: () => ({ user: { id: "me", display_name: "Grace", role: "creator" } }) }));
vi.mock("../realtime/useRoom", async () => {
  const { useReducer } = await import("react");
  const hold = () => {};
  const onDesk = (listener: (news: unknown) => void) => {
    world.listeners.add(listener);
    return () => void world.listeners.delete(listener);
  };
  return {
    useRoom: () => {
      const [, again] = useReducer((count: number) => count + 1, 0);
      world.render = again;
      return { room: world.room, you: (world.room as Room).me, link: "connected", closedBecause: null, refused: null, act: world.act, onDesk, hold, held: [], send: vi.fn() };
    },
  };
});
vi.mock("../api/channels", async (original) => ({
  ...(await original<object>()),
  fetchChannel: () => Promise.resolve({
    channel: { id: CHANNEL, display_name: "Grace", live_stream_id: world.live ? "s1" : null, followers: 0 },
    me: { role: "creator", capabilities: world.capabilities, following_since: null, restriction: null, warning: null },
  }),
  fetchHeld: () => Promise.resolve({ held: world.held }),
  fetchLog: () => Promise.resolve({ rulings: [], next_cursor: null }),
  fetchPerson: (_: string, id: string) => Promise.resolve({ user: { id, name: id, role: "viewer" }, account_created_at: 0, following_since: null, restriction: null, warning: null, counts: {}, rulings: [], notes: [] }),
  command: world.command,
}));

const said = (offset: number): Entry => ({ kind: "message", offset, stream_id: "s1", id: `message-${offset}`, at: offset, user: { id: `u${offset}`, name: `Name ${offset}`, role: "viewer" }, text: `line ${offset}` });
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => said(from + index));
const hear = (...entries: Entry[]) => act(() => {
  world.room = reduceRoom(world.room as Room, { type: "entries", entries });
  world.render();
});
const done = (action: string) => ({ ok: true, action_id: action, undo_until: Date.now() + 10_000, message: `Done ${action}` });
const held = (id: string): HeldMessage => ({ id, stream_id: "s1", user: { id: "u9", name: "Linus", role: "viewer" }, text: "held", at: 0, expires_at: Date.now() + 300_000, findings: [], paid: null, claimed_by: null, claimed_until: null });

beforeEach(() => {
  localStorage.clear();
  world.live = true;
  world.capabilities = CAPABILITIES;
  world.held = [];
  world.act.mockReset().mockImplementation((event: string) => Promise.resolve(done(event)));
  world.command.mockReset().mockImplementation((_: string, type: string) => Promise.resolve(done(type)));
  world.room = reduceRoom({ ...emptyRoom, keepRemoved: true }, {
    type: "joined",
    answer: {
      ok: true, epoch: "e", offset: 5, recovered: false, entries: lines(1, 5), viewers: 3, peak: 3, stream: { id: "s1", title: "", category: null, status: "live", creator: { id: CHANNEL, display_name: "Grace" } },
      settings: emptyRoom.settings, me: { user: me, may_chat: true, capabilities: CAPABILITIES, restriction: null, warning: null, following_since: null }, pin: null, poll: null, raid: null, on_top: [],
    },
  });
});
afterEach(cleanup);

async function open() {
  render(<MemoryRouter initialEntries={[`/mod/${CHANNEL}`]}><Routes><Route path="/mod/:channelId" element={<Desk />} /></Routes></MemoryRouter>);
  if (world.capabilities.includes("see_private")) await screen.findByTestId("desk-channel");
  if (world.live && world.capabilities.length) await waitFor(() => expect(screen.getByTestId("desk-channel").dataset["joined"]).toBe("true"));
}
const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key });
const chat = () => screen.getByTestId(`chat-${CHANNEL}`);
const chosen = () => within(chat()).queryAllByRole("option", { selected: true }).map((line) => line.textContent).join();

test("each key sends its command for the line that is selected", async () => {
  await open();
  for (const key of ["j", "k", "k"]) press(key);
  expect(chosen()).toContain("line 3");
  press("d");
  expect(world.act).toHaveBeenLastCalledWith("mod:delete", { user_id: "u3", message_id: "message-3" });
  press("p");
  expect(world.act).toHaveBeenLastCalledWith("mod:pin", { user_id: "u3", message_id: "message-3" });
  press("t");
  press("2");
  expect(world.act).toHaveBeenLastCalledWith("mod:timeout", { user_id: "u3", seconds: 600 });
});

test("a ban asks once and is about whom it was asked for, whatever is said meanwhile", async () => {
  await open();
  press("j");
  press("b");
  expect(world.act).not.toHaveBeenCalled();
  hear(...lines(6, 90));
  await userEvent.keyboard("{Enter}");
  expect(world.act.mock.calls).toEqual([["mod:ban", { user_id: "u5" }]]);
  await waitFor(() => expect(screen.queryByTestId("question")).toBe(null));
  press("j");
  press("b");
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByTestId("question")).toBe(null);
  expect(world.act).toHaveBeenCalledTimes(1);
});

test("a flood is counted and does not change the selection; End goes back to live", async () => {
  await open();
  for (const key of ["j", "k"]) press(key);
  hear(...lines(6, 29));
  expect(chosen()).toContain("line 4");
  expect(screen.getByTestId(`chat-${CHANNEL}-live`).textContent).toContain("24 new");
  expect(within(chat()).getAllByRole("option")).toHaveLength(5);
  press("End");
  expect(within(chat()).getAllByRole("option")).toHaveLength(29);
});

test("a message removed elsewhere stays where it is, marked, and is not deleted again", async () => {
  await open();
  press("j");
  hear({ kind: "moderation", offset: 6, stream_id: "s1", id: "a1", at: 6, action: "delete", target: { id: "u5", name: "Name 5" }, message_id: "message-5" });
  expect(chosen()).toMatch(/line 5.*deleted/);
  press("d");
  expect(world.act).not.toHaveBeenCalled();
  expect((await screen.findByTestId("desk-problem")).textContent).toContain("Only a message can be deleted.");
});

test("nothing fires while one types", async () => {
  await open();
  press("j");
  press("/");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("command")));
  await userEvent.keyboard("dtbxapcu?");
  expect(world.act).not.toHaveBeenCalled();
  expect(screen.getByTestId<HTMLInputElement>("command").value).toBe("dtbxapcu?");
});

test("a refused deletion is said in its column, and the line is as before", async () => {
  world.act.mockRejectedValue(new ApiError(400, { code: "mod.protected_user", message: "You cannot do this to somebody with a higher role." }));
  await open();
  press("j");
  press("d");
  expect((await screen.findByTestId("desk-problem")).textContent).toContain("higher role");
  expect(chosen()).not.toContain("removing");
});

test("a refused line of text stays in the field, with the reason", async () => {
  world.act.mockRejectedValue(new ApiError(400, { code: "command.unknown", message: "There is no such command." }));
  await open();
  await userEvent.type(screen.getByTestId("command"), "/what Ada{Enter}");
  expect((await screen.findByTestId("command-problem")).textContent).toBe("There is no such command.");
  expect(screen.getByTestId<HTMLInputElement>("command").value).toBe("/what Ada");
});

test("approved is shown at once; refused it waits again, with the reason on it", async () => {
  world.held = [held("h1")];
  let refuse = (_: unknown) => {};
  world.act.mockImplementation(() => new Promise((_, reject) => { refuse = reject; }));
  await open();
  await screen.findByTestId("held-left");
  act(() => screen.getByTestId(`held-${CHANNEL}`).focus());
  press("j");
  press("a");
  expect(world.act).toHaveBeenLastCalledWith("mod:approve", { held_id: "h1" });
  expect(screen.getByTestId("held-fate").textContent).toContain("Approved");
  await act(async () => refuse(new ApiError(400, { code: "mod.held_claimed", message: "Another moderator is looking at this message." })));
  expect(screen.getByTestId("held-refusal").textContent).toContain("Another moderator");
  expect(screen.queryByTestId("held-fate")).toBe(null);
});

test("what was done can be undone by key for ten seconds, counted down", async () => {
  await open();
  press("j");
  press("d");
  const toast = await screen.findByTestId("undo-toast");
  expect(toast.textContent).toMatch(/Done mod:delete.*(10|9) s/);
  press("u");
  expect(world.act).toHaveBeenLastCalledWith("mod:undo", { action_id: "mod:delete" });
  await waitFor(() => expect(screen.queryByTestId("undo-toast")).toBe(null));
});

test("without a live stream everything but the chat works, over HTTP", async () => {
  world.live = false;
  await open();
  await userEvent.type(screen.getByTestId("command"), "/slow 30{Enter}");
  expect(world.command.mock.calls).toEqual([[CHANNEL, "settings", { slow_seconds: 30 }]]);
  expect(world.act).not.toHaveBeenCalled();
});

test("who does not moderate sees why, and no desk", async () => {
  world.capabilities = ["chat"];
  world.live = false;
  await open();
  expect((await screen.findByTestId("desk-not-moderator")).textContent).toContain("You do not moderate Grace");
  expect(screen.queryByTestId("column-chat")).toBe(null);
});

test("columns are hidden and moved, and so they are the next time", async () => {
  await open();
  await userEvent.click(screen.getByTestId("columns-menu"));
  await userEvent.click(screen.getByRole("menuitemcheckbox", { name: "Log" }));
  await userEvent.keyboard("{Escape}");
  await userEvent.click(screen.getByLabelText("Arrange Chat"));
  await userEvent.click(screen.getByRole("menuitem", { name: "Move to the right" }));
  cleanup();
  await open();
  expect(screen.getAllByTestId(/^column-/).map((column) => column.dataset["column"]).filter(Boolean)).toEqual(["held", "chat", "card"]);
});
