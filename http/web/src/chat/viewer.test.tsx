// @vitest-environment happy-dom
import { act as settle, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import { COMMANDS, type Me, type Message, type Poll, type Raid } from "../realtime/events";
import { emptyRoom, plainSettings, type Room } from "../realtime/room";
import type { Act } from "../realtime/useRoom";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import { ModeBanner } from "./ModeBanner";
import { PendingLine } from "./PendingLine";
import PollPanel from "./PollPanel";
import { RaidBanner } from "./RaidBanner";
import { Banned, TimedOut, Warned } from "./Standing";

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const ada = { id: "a", name: "Ada", role: "viewer" as const };
const said = (offset: number, more: Partial<Message> = {}): Message => ({ kind: "message", offset, stream_id: "s", id: `m${offset}`, at: offset, user: ada, text: `line ${offset}`, ...more });
const me = (role: "viewer" | "moderator", ...capabilities: string[]): Me => ({ user: { id: "me", name: "Me", role }, may_chat: true, capabilities, restriction: null, warning: null, following_since: null });
const roomOf = (entries: Room["entries"], you: Me = me("viewer", "chat")): Room => ({ ...emptyRoom, joined: true, entries, me: you });
const acting = () => vi.fn(() => Promise.resolve({ ok: true, action_id: null, undo_until: null, message: "Done." })) as unknown as Act & ReturnType<typeof vi.fn>;

describe("the list", () => {
  const list = (room: Room, more: Partial<Parameters<typeof MessageList>[0]> = {}) => render(<MessageList room={room} onRetry={() => {}} onForget={() => {}} {...more} />);

  test("of a thousand lines only some are laid out, the newest among them", () => {
    list(roomOf(Array.from({ length: 1000 }, (_, index) => said(index + 1))));
    const lines = screen.getAllByTestId("chat-line");
    expect(lines.length).toBeLessThan(120);
    expect(lines.at(-1)?.textContent).toContain("line 1000");
  });

  test("what was removed leaves its place and not its words", () => {
    list(roomOf([said(1), { kind: "removed", offset: 2, stream_id: "s", by: { action: "delete", until: null, at: 1 } }]));
    expect(screen.getByTestId("chat-gone").textContent).toBe("Message removed (deleted)");
  });

  test("an answer shows what it answers, while that is there", () => {
    const answer = said(2, { reply: { id: "m1", user_id: "a", name: "Ada" } });
    const { rerender } = list(roomOf([said(1), answer]));
    expect(screen.getByText(/Answer to/).textContent).toBe("Answer to Ada: line 1");
    rerender(<MessageList room={roomOf([{ kind: "removed", offset: 1, stream_id: "s" }, answer])} onRetry={() => {}} onForget={() => {}} />);
    expect(screen.getByText(/Answer to/).textContent).toBe("Answer to Ada");
  });

  test("arrows choose a line and hold the list, R answers, End goes on", async () => {
    const onReply = vi.fn();
    const onHold = vi.fn();
    list(roomOf([said(1), said(2)]), { onReply, onHold, act: acting() });
    screen.getByTestId("chat-list").focus();
    await userEvent.keyboard("{ArrowUp}{ArrowUp}");
    expect(onHold).toHaveBeenLastCalledWith(true);
    expect(document.activeElement?.textContent).toContain("line 1");
    await userEvent.keyboard("r");
    expect(onReply).toHaveBeenCalledWith(expect.objectContaining({ id: "m1" }));
    await userEvent.keyboard("{End}");
    expect(onHold).toHaveBeenLastCalledWith(false);
    expect(screen.queryByTestId("chat-jump")).toBe(null);
  });

  test("while it is held, what comes is counted", async () => {
    const { rerender } = list(roomOf([said(1), said(2)]));
    screen.getByTestId("chat-list").focus();
    await userEvent.keyboard("{ArrowUp}");
    rerender(<MessageList room={roomOf([said(1), said(2), said(3), said(4)])} onRetry={() => {}} onForget={() => {}} />);
    expect(screen.getByTestId("chat-jump").textContent).toBe("2 new messages");
    await userEvent.click(screen.getByTestId("chat-jump"));
    expect(screen.queryByTestId("chat-jump")).toBe(null);
  });

  test("a moderator bans by keyboard alone, with a reason", async () => {
    const act = acting();
    const onActed = vi.fn();
    list(roomOf([said(1)], me("moderator", "moderate")), { act, onActed });
    screen.getByTestId("chat-list").focus();
    await userEvent.keyboard("{ArrowUp}{Enter}");
    expect(screen.getByRole("menu")).toBeTruthy();
    expect(document.activeElement?.textContent).toBe("Pin");
    await userEvent.keyboard("{End}{Enter}");
    await userEvent.keyboard("rude{Enter}");
    expect(act).toHaveBeenCalledWith("mod:ban", { user_id: "a", reason: "rude" });
    await waitFor(() => expect(onActed).toHaveBeenCalled());
    expect(screen.queryByRole("dialog")).toBe(null);
  });

  test("Esc closes the menu and gives the focus back; a warning needs words", async () => {
    const act = acting();
    list(roomOf([said(1)], me("moderator", "moderate")), { act });
    screen.getByTestId("chat-list").focus();
    await userEvent.keyboard("{ArrowUp}{Enter}{Escape}");
    expect(screen.queryByRole("menu")).toBe(null);
    expect(document.activeElement).toBe(screen.getByTestId("line-menu"));
    await userEvent.click(screen.getByTestId("line-menu"));
    await userEvent.click(screen.getByText("Warn …"));
    await userEvent.click(screen.getByText("Warn Ada"));
    expect(act).not.toHaveBeenCalled();
  });

  test("a viewer has no such menu", async () => {
    list(roomOf([said(1)]), { act: acting(), onReply: () => {} });
    screen.getByTestId("chat-list").focus();
    await userEvent.keyboard("{ArrowUp}");
    expect(screen.queryByTestId("line-menu")).toBe(null);
    expect(screen.getByTestId("line-reply")).toBeTruthy();
  });

  test("a held message says what becomes of it", () => {
    const message = { id: "p", text: "hm", user: ada, at: Date.now(), state: "held" as const };
    const { rerender } = render(<PendingLine message={message} order={1} onRetry={() => {}} onForget={() => {}} />);
    expect(screen.getByRole("status").textContent).toContain("Waiting for a moderator");
    rerender(<PendingLine message={{ ...message, state: "denied", reason: "Off topic" }} order={1} onRetry={() => {}} onForget={() => {}} />);
    expect(screen.getByRole("status").textContent).toContain("did not let it through: Off topic");
    rerender(<PendingLine message={{ ...message, at: Date.now() - 400_000 }} order={1} onRetry={() => {}} onForget={() => {}} />);
    return waitFor(() => expect(screen.getByRole("status").textContent).toContain("No moderator looked at it"));
  });
});

describe("the field", () => {
  const known = { emotes: [], people: [{ id: "a", name: "Ada" }], commands: COMMANDS };
  const field = () => screen.getByTestId<HTMLTextAreaElement>("chat-input");

  test("a line that begins with a slash is a command, with who was meant", async () => {
    const command = vi.fn(() => Promise.resolve());
    const send = vi.fn(() => Promise.resolve());
    render(<Composer maxLength={500} disabled={false} onSend={send} onCommand={command} known={known} />);
    await userEvent.type(field(), "/timeo{Tab}");
    expect(field().value).toBe("/timeout ");
    expect(screen.getByTestId("command-help").textContent).toContain("/timeout <user> [duration] [reason]");
    await userEvent.type(field(), "@a{Tab}10m{Enter}");
    expect(command.mock.calls).toEqual([["/timeout @Ada 10m", { Ada: "a" }]]);
    expect(send).not.toHaveBeenCalled();
  });

  test("Esc closes the choices first, and keeps what was typed", async () => {
    render(<Composer maxLength={500} disabled={false} onSend={() => Promise.resolve()} known={known} />);
    await userEvent.type(field(), "hi @a");
    expect(within(screen.getByRole("listbox")).getAllByRole("option")).toHaveLength(1);
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("listbox")).toBe(null);
    expect(field().value).toBe("hi @a");
  });

  test("an answer goes with the message, and its bar away", async () => {
    const send = vi.fn(() => Promise.resolve());
    const done = vi.fn();
    render(<Composer maxLength={500} disabled={false} onSend={send} replyTo={said(7)} onReplyDone={done} />);
    expect(screen.getByTestId("reply-bar").textContent).toContain("Answer to Ada: line 7");
    await userEvent.type(field(), "yes{Enter}");
    expect(send.mock.calls).toEqual([["yes", { replyTo: { user_id: "a", id: "m7" } }]]);
    await waitFor(() => expect(done).toHaveBeenCalled());
  });

  test("slow mode counts down before anything is refused, and not for commands", async () => {
    const send = vi.fn(() => Promise.resolve());
    const command = vi.fn(() => Promise.resolve());
    render(<Composer maxLength={500} disabled={false} onSend={send} onCommand={command} known={known} slowUntil={Date.now() + 20_000} />);
    expect(screen.getByTestId("chat-send").getAttribute("aria-label")).toMatch(/^Send in (20|19) seconds$/);
    await userEvent.type(field(), "hi{Enter}");
    expect(send).not.toHaveBeenCalled();
    await userEvent.clear(field());
    await userEvent.type(field(), "/help {Enter}");
    expect(command).toHaveBeenCalled();
  });
});

describe("polls", () => {
  const poll: Poll = { id: "p", question: "Which?", choices: ["One", "Two"], votes: [3, 1], state: "open", closes_at: Date.now() + 60_000 };

  test("one votes by keyboard, once, and sees the result", async () => {
    const vote = vi.fn(() => Promise.resolve());
    const { unmount } = render(<PollPanel poll={poll} mayVote onVote={vote} />);
    screen.getByLabelText("Two").focus();
    await userEvent.keyboard(" {Enter}");
    expect(vote.mock.calls).toEqual([[1]]);
    expect((await screen.findByText(/your vote/)).closest("li")?.textContent).toContain("Two");
    unmount();
    render(<PollPanel poll={poll} mayVote onVote={vote} />);
    expect(screen.queryByTestId("poll-vote")).toBe(null);
  });

  test("who voted elsewhere is told, and sees the result", async () => {
    const refusal = new ApiError(400, { code: "poll.voted", message: "You have voted already.", details: {} });
    render(<PollPanel poll={poll} mayVote onVote={() => Promise.reject(refusal)} />);
    await userEvent.click(screen.getByLabelText("One"));
    await userEvent.click(screen.getByTestId("poll-vote"));
    expect((await screen.findByRole("alert")).textContent).toBe("You have voted already.");
    expect(screen.getByText("75 %")).toBeTruthy();
  });

  test("a cancelled poll counts for nothing", () => {
    render(<PollPanel poll={{ ...poll, state: "cancelled" }} mayVote onVote={() => Promise.resolve()} />);
    expect(screen.queryByTestId("poll")).toBe(null);
  });
});

describe("raids", () => {
  const raid: Raid = { channel_id: "x", name: "Nightowl", stream_id: "s2", viewers: 9, departs_at: Date.now() + 10_000, spread_ms: 1000, state: "preparing" };
  const banner = (state: Raid["state"], go: (id: string) => void) => <MemoryRouter><RaidBanner raid={{ ...raid, state }} onGo={go} /></MemoryRouter>;

  test("one goes within the spread, unless one stays", () => {
    vi.useFakeTimers();
    const go = vi.fn();
    const { rerender } = render(banner("preparing", go));
    rerender(banner("gone", go));
    settle(() => vi.advanceTimersByTime(1001));
    expect(go).toHaveBeenCalledWith("s2");
    cleanup();
    const stay = vi.fn();
    const second = render(banner("preparing", stay));
    fireEvent.click(screen.getByTestId("raid-stay"));
    second.rerender(banner("gone", stay));
    settle(() => vi.advanceTimersByTime(5000));
    expect(stay).not.toHaveBeenCalled();
  });

  test("who comes after it left is shown the way and not taken", () => {
    vi.useFakeTimers();
    const go = vi.fn();
    render(banner("gone", go));
    settle(() => vi.advanceTimersByTime(5000));
    expect(go).not.toHaveBeenCalled();
    expect(screen.getByText("Go there").closest("a")?.getAttribute("href")).toBe("/watch/s2");
  });
});

describe("what stands in the way", () => {
  test("a warning is acknowledged with its button", async () => {
    const acknowledge = vi.fn(() => Promise.resolve());
    render(<Warned warning={{ id: "w", reason: "No spoilers" }} onAcknowledge={acknowledge} />);
    expect(screen.getByRole("alertdialog", { name: "A moderator warned you" }).textContent).toContain("No spoilers");
    await userEvent.click(screen.getByTestId("acknowledge"));
    expect(acknowledge).toHaveBeenCalledTimes(1);
  });

  test("a timeout counts down", () => {
    render(<TimedOut restriction={{ kind: "timeout", until: Date.now() + 60_000, reason: "Spam" }} />);
    expect(screen.getByRole("timer").textContent).toMatch(/^(1:00|60 s|59 s)$/);
  });

  test("who is banned may ask, once", async () => {
    const request = { id: "r", user: ada, text: "sorry", at: 1, status: "pending", resolved_by: null, resolution: null };
    const asked: [string, RequestInit | undefined][] = [];
    vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => {
      asked.push([url, init]);
      return new Response(JSON.stringify(init?.method === "POST" ? request : { requests: [] }), { status: 200 });
    });
    render(<Banned restriction={{ kind: "ban", until: null, reason: "" }} channelId="c1" />);
    await userEvent.click(screen.getByTestId("ask-unban"));
    await userEvent.type(screen.getByLabelText("Why should you be let back in?"), "sorry");
    await userEvent.click(screen.getByRole("button", { name: "Send" }));
    expect((await screen.findByTestId("unban-state")).textContent).toContain("You asked to be unbanned");
    expect(asked.at(-1)).toMatchObject(["/api/v1/channels/c1/unban-requests", { method: "POST", body: '{"text":"sorry"}' }]);
  });
});

test("modes are one line that opens, and a change is read out once", async () => {
  const slow = { ...plainSettings, slow_seconds: 10, emote_only: true };
  const { rerender } = render(<ModeBanner settings={plainSettings} />);
  expect(screen.queryByTestId("modes")).toBe(null);
  rerender(<ModeBanner settings={slow} />);
  expect(screen.getByRole("status").textContent).toBe("The chat's rules now: Slow 10 s · Emotes only");
  await userEvent.click(screen.getByRole("button", { name: /Slow 10 s/ }));
  expect(screen.getByText("One message every 10 seconds.")).toBeTruthy();
  rerender(<ModeBanner settings={plainSettings} />);
  expect(screen.getByRole("status").textContent).toBe("The chat has no special rules any more");
});
