// @vitest-environment happy-dom
import { act as settle, cleanup, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Entry, Gift, Message } from "../realtime/events";
import { emptyRoom, plainSettings, reduceRoom, type Room } from "../realtime/room";
import { SaidLine, type Look } from "./ChatLine";
import { recipientWords } from "./GiftWords";
import { OnTop, shownOnTop } from "./OnTop";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const ada = { id: "a", name: "Ada", role: "viewer" as const, subscriber: true };
const look: Look = { myId: "me", myName: "Me", theme: "light", emotes: new Map() };
const paid = (offset: number, pin_seconds: number, at = 0): Message & { paid: NonNullable<Message["paid"]> } => ({ kind: "message", offset, stream_id: "s", id: `m${offset}`, at, user: ada, text: `tea ${offset}`, paid: { amount_minor: 1000, currency: "eur", pin_seconds } });
const gift = (more: Partial<Gift> = {}): Gift => ({ kind: "gift", offset: 1, stream_id: "s", id: "g", at: 0, user: ada, text: "gave 5 tier 1 subscriptions to this room.", count: 5, level: 1, months: 1, recipients: [{ id: "b", name: "Bo" }, { id: "me", name: "Me" }], ...more });
const show = (line: Message | Gift) => render(<ul><SaidLine line={line} look={look} order={1} /></ul>);

describe("lines", () => {
  test("a paid message says what was paid, also to who hears it, and shows its level and badge", () => {
    show(paid(1, 60));
    const line = screen.getByTestId("chat-line");
    expect(line.className).toContain("line-paid paid-2");
    expect(screen.getByTestId("line-amount").textContent).toMatch(/^Paid message: .*10/);
    expect(line.textContent).toContain("Sub");
  });

  test("a plain message has none of it", () => {
    show({ ...paid(1, 0), paid: null });
    expect(screen.getByTestId("chat-line").className).not.toContain("paid");
    expect(screen.queryByTestId("line-amount")).toBe(null);
  });

  test("gifts name who gave, some who got, and oneself", () => {
    show(gift());
    expect(screen.getByTestId("chat-line").textContent).toContain("gave 5 tier 1 subscriptions");
    expect(screen.getByTestId("chat-line").textContent).toContain("For Bo, Me and 3 others. One of them is yours!");
    expect(recipientWords(gift({ count: 2 }))).toBe("Bo and Me");
    expect(recipientWords(gift({ count: 1 }))).toBe(null);
    expect(recipientWords(gift({ recipients: [] }))).toBe(null);
  });
});

const joined = (on_top: Message[], offset = 0): Room =>
  reduceRoom(emptyRoom, {
    type: "joined",
    answer: {
      ok: true, epoch: "e", offset, recovered: false, entries: [], viewers: 1, peak: 1, settings: plainSettings, pin: null, poll: null, raid: null, on_top,
      stream: { id: "s", title: "t", status: "live", creator: { id: "c", display_name: "C" } } as never,
      me: { user: null, may_chat: true, capabilities: [], restriction: null, warning: null, following_since: null },
    },
  });
const hear = (room: Room, ...entries: Entry[]) => reduceRoom(room, { type: "entries", entries });
const refunded = (offset: number, message: Message): Entry => ({ kind: "moderation", offset, stream_id: "s", id: `r${offset}`, at: 1, action: "delete", target: { id: message.user.id, name: "Ada" }, message_id: message.id });

describe("on top", () => {
  test("is what the join says, then what comes; one paid back is gone from both places", () => {
    const first = paid(1, 60);
    const second = paid(2, 120);
    const room = hear(joined([first], 1), second, { ...paid(3, 0) });
    expect(room.onTop.map((one) => one.id)).toEqual(["m1", "m2"]);
    const after = hear(room, refunded(4, second));
    expect(after.onTop.map((one) => one.id)).toEqual(["m1"]);
    expect(after.entries[0]).toMatchObject({ kind: "removed" });
  });

  test("the higher level stands first, and nothing after its time", () => {
    expect(shownOnTop([paid(1, 60, 1000), paid(2, 600, 2000), paid(3, 60, 500)], 3000).map((one) => one.id)).toEqual(["m2", "m3", "m1"]);
    expect(shownOnTop([paid(1, 60, 0)], 60_000)).toEqual([]);
  });

  test("counts down and leaves by itself", async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    render(<MemoryRouter><OnTop messages={[paid(1, 30, 1_000_000), paid(2, 60, 1_000_000)]} look={look} /></MemoryRouter>);
    expect(screen.getAllByRole("timer").map((timer) => timer.textContent)).toEqual(["1:00", "0:30"]);
    await settle(() => vi.advanceTimersByTimeAsync(31_000));
    expect(screen.getAllByTestId("on-top-card")).toHaveLength(1);
    await settle(() => vi.advanceTimersByTimeAsync(31_000));
    expect(screen.queryByTestId("on-top-list")).toBe(null);
  });
});
