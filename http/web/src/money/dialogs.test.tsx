// @vitest-environment happy-dom
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Order, Plan, Shelf } from "../api/payments";
import { GiftDialog } from "./GiftDialog";
import { PaidMessageDialog } from "./PaidMessageDialog";
import { SubscribeDialog } from "./SubscribeDialog";

const tier = (level: number, amount_minor: number): Plan => ({ id: `channel-${level}`, name: "", scope: "channel", level, interval: "month", amount_minor, currency: "eur" });
const shelf: Shelf = { plans: [tier(1, 499), tier(2, 999), tier(3, 2499)], currency: "eur", gifts_at_once: 100, message_max_minor: 50_000, message_steps: [{ amount_minor: 200, on_top_seconds: 0 }, { amount_minor: 500, on_top_seconds: 30 }, { amount_minor: 1000, on_top_seconds: 60 }] };
const shared = { open: true, channel: { id: "c", name: "Ada" }, shelf, wish: { path: "/watch/s", name: "the stream" }, onClose: () => {} };
const order = { id: "o", url: "https://pay.test/o" } as Order;

const asked: { path: string; body: unknown; key: string | undefined }[] = [];
let answer: [number, unknown];
const leave = vi.fn();

beforeEach(() => {
  asked.length = 0;
  leave.mockReset();
  answer = [201, order];
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) { this.open = true; };
  vi.stubGlobal("fetch", vi.fn((url: string, init: RequestInit) => {
    asked.push({ path: url, body: JSON.parse(String(init.body)), key: (init.headers as Record<string, string>)["idempotency-key"] });
    return Promise.resolve(new Response(JSON.stringify(answer[1]), { status: answer[0] }));
  }));
  vi.spyOn(location, "assign").mockImplementation(leave);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});
const refuse = (status: number, code: string, message: string) => (answer = [status, { error: { code, message } }]);
const pay = () => userEvent.click(screen.getByTestId("go-pay"));
const gone = () => waitFor(() => expect(leave).toHaveBeenCalledWith("https://pay.test/o"));

describe("subscribing to a channel", () => {
  test("takes the tier that was chosen", async () => {
    render(<MemoryRouter><SubscribeDialog running={null} given={undefined} known {...shared} /></MemoryRouter>);
    expect(screen.queryByTestId("channel-given")).toBe(null);
    await userEvent.click(screen.getByRole("radio", { name: /Tier 3/ }));
    await pay();
    await gone();
    expect(asked).toEqual([{ path: "/api/v1/checkout", body: { plan_id: "channel-3", creator_id: "c" }, key: undefined }]);
  });
});

test("who was given a tier is told so, and may buy another one", async () => {
  render(<MemoryRouter><SubscribeDialog running={null} given={2} known {...shared} /></MemoryRouter>);
  expect(screen.getByTestId("channel-given").textContent).toContain("tier 2 as a gift");
  await pay();
  await gone();
});

describe("gifts", () => {
  const dialog = (streamId: string | null) => render(<MemoryRouter><GiftDialog streamId={streamId} {...shared} /></MemoryRouter>);

  test("to the room: so many, and what they cost together", async () => {
    dialog("s");
    await userEvent.click(screen.getByRole("radio", { name: "5" }));
    await userEvent.click(screen.getByRole("radio", { name: "Tier 2" }));
    expect(screen.getByTestId("gift-total").textContent).toMatch(/5 × .*9.99.*49.95/);
    await pay();
    await gone();
    expect(asked[0]).toMatchObject({ path: "/api/v1/gifts", body: { plan_id: "channel-2", creator_id: "c", stream_id: "s", quantity: 5 } });
    expect(asked[0]!.key).toBeTruthy();
  });

  test("to a person: their name is needed, and an unknown one is said beside the field", async () => {
    dialog(null);
    await pay();
    expect(screen.getByRole("alert").textContent).toBe("Name the person.");
    expect(asked).toEqual([]);
    refuse(404, "payment.recipient_unknown", "There is nobody of that name to give this to.");
    await userEvent.type(screen.getByLabelText("Their name"), "Bo");
    await pay();
    expect((await screen.findByRole("alert")).textContent).toContain("Nothing was charged");
    expect(screen.getByLabelText("Their name").getAttribute("aria-invalid")).toBe("true");
  });
});

describe("paid messages", () => {
  const dialog = () => render(<MemoryRouter><PaidMessageDialog streamId="s" {...shared} /></MemoryRouter>);

  test("a preset and an amount of one's own say how long the message stays", async () => {
    dialog();
    expect(screen.getByTestId("on-top").textContent).toContain("1 minute");
    await userEvent.click(screen.getByRole("button", { name: /2$/ }));
    expect(screen.getByTestId("on-top").textContent).toContain("not kept on top");
    const amount = screen.getByLabelText("Amount in EUR");
    await userEvent.clear(amount);
    await userEvent.type(amount, "7,50");
    expect(screen.getByTestId("on-top").textContent).toContain("30 seconds");
    await userEvent.type(screen.getByTestId("paid-text"), "For the tea!");
    await pay();
    await gone();
    expect(asked[0]!.body).toEqual({ stream_id: "s", text: "For the tea!", amount_minor: 750 });
  });

  test("without words or with a wrong amount nothing is asked for", async () => {
    dialog();
    await pay();
    expect(screen.getByRole("alert").textContent).toBe("Write what the message says.");
    await userEvent.type(screen.getByTestId("paid-text"), "Hi");
    await userEvent.clear(screen.getByLabelText("Amount in EUR"));
    await userEvent.type(screen.getByLabelText("Amount in EUR"), "1");
    await pay();
    expect(asked).toEqual([]);
  });

  test("a refused text says so before anything is paid, and the same wish keeps its key until it changes", async () => {
    dialog();
    refuse(400, "chat.blocked", "This channel does not take these words.");
    await userEvent.type(screen.getByTestId("paid-text"), "rude");
    await pay();
    expect((await screen.findByRole("alert")).textContent).toBe("This channel does not take these words. Nothing was charged; change it and try again.");
    await pay();
    await waitFor(() => expect(asked).toHaveLength(2));
    expect(asked[1]!.key).toBe(asked[0]!.key);
    await userEvent.type(screen.getByTestId("paid-text"), "!");
    expect(screen.queryByRole("alert")).toBe(null);
    answer = [201, order];
    await pay();
    await gone();
    expect(asked[2]!.key).not.toBe(asked[0]!.key);
  });
});
