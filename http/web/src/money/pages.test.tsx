// @vitest-environment happy-dom
import { act as settle, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Order, Subscription } from "../api/payments";
import { SessionProvider } from "../session/SessionProvider";
import { ToastProvider } from "../ui/Toasts";

vi.mock("../realtime/socket", () => ({ reconnectAs: () => {} }));

const me = { id: "me", email: "me@example.com", display_name: "Me", role: "free", subscription_tier: "free", created_at: "2026-01-01T00:00:00Z" };
const plan = (id: string, interval: string, amount_minor: number) => ({ id, name: id, scope: "premium", level: 1, interval, amount_minor, currency: "eur" });
const SHELF = { plans: [plan("premium-monthly", "month", 499), plan("premium-yearly", "year", 4990)], currency: "eur", gifts_at_once: 100, message_max_minor: 50_000, message_steps: [{ amount_minor: 200, on_top_seconds: 0 }] };
const ORDER: Order = { id: "o1", kind: "subscription", state: "open", plan_id: "premium-monthly", creator_id: null, quantity: 1, amount_minor: 499, currency: "eur", created_at: "2026-11-23T12:00:00Z", expires_at: "2026-11-23T14:00:00Z", url: "https://pay.test/o1" };
const SUB: Subscription = { id: "s1", plan_id: "premium-monthly", creator_id: null, status: "active", amount_minor: 499, currency: "eur", current_period_start: "2026-11-10T12:00:00Z", current_period_end: "2126-12-10T12:00:00Z", cancel_at_period_end: false, trial_end: null, grace_until: null, ended_at: null, created_at: "2026-11-10T12:00:00Z" };

type Answer = [number, unknown];
let answers: Record<string, Answer | (() => Answer)>;
const asked: string[] = [];
const error = (code: string, message = "No."): unknown => ({ error: { code, message } });
const leave = vi.fn();

beforeEach(() => {
  asked.length = 0;
  leave.mockReset();
  answers = { "GET /auth/me": [200, me], "GET /plans": [200, SHELF], "GET /subscriptions": [200, { subscriptions: [] }], "GET /gifts/received?limit=50": [200, { gifts: [] }] };
  vi.resetModules();
  vi.stubGlobal("fetch", vi.fn((url: string, init: RequestInit) => {
    const what = `${init.method} ${String(url).replace("/api/v1", "")}`;
    asked.push(what);
    const found = answers[what];
    const [status, body] = typeof found === "function" ? found() : (found ?? [404, error("not_found")]);
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  }));
  vi.spyOn(location, "assign").mockImplementation(leave);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const times = (what: string) => asked.filter((one) => one === what).length;

async function open(path: string) {
  // Fresh modules: what is sold is known once for a page.
  const [{ default: PlansPage }, { default: ReturnPage }, { SubscriptionsPanel }, session, toasts] = await Promise.all([
    import("./PlansPage"), import("./ReturnPage"), import("./SubscriptionsPanel"), import("../session/SessionProvider"), import("../ui/Toasts"),
  ]);
  const Session: typeof SessionProvider = session.SessionProvider;
  const Toasts: typeof ToastProvider = toasts.ToastProvider;
  render(
    <MemoryRouter initialEntries={[path]}>
      <Session><Toasts>
        <Routes>
          <Route path="/premium" element={<PlansPage />} />
          <Route path="/checkout/:orderId" element={<ReturnPage />} />
          <Route path="/account" element={<SubscriptionsPanel />} />
          <Route path="/signin" element={<p>The sign-in page</p>} />
        </Routes>
      </Toasts></Session>
    </MemoryRouter>,
  );
}

describe("the plans", () => {
  test("pressing twice makes one order and leaves once", async () => {
    answers["POST /checkout"] = [201, ORDER];
    await open("/premium");
    const [button] = await screen.findAllByTestId("subscribe");
    // Both presses before the page was drawn again.
    settle(() => {
      button!.click();
      button!.click();
    });
    await waitFor(() => expect(leave).toHaveBeenCalledWith("https://pay.test/o1"));
    expect(times("POST /checkout")).toBe(1);
    expect(button!.getAttribute("aria-busy")).toBe("true");
    // The back button shows the page as it was left: the button works again.
    const back = new Event("pageshow");
    Object.assign(back, { persisted: true });
    settle(() => void window.dispatchEvent(back));
    expect(button!.getAttribute("aria-busy")).toBe(null);
  });

  test("when the payment service is down it says that nothing was charged, and one may press again", async () => {
    answers["POST /checkout"] = [503, error("payment.stripe")];
    await open("/premium");
    const [button] = await screen.findAllByTestId("subscribe");
    await userEvent.click(button!);
    expect((await screen.findByTestId("trouble")).textContent).toContain("Nothing was charged");
    answers["POST /checkout"] = [201, ORDER];
    await userEvent.click(button!);
    await waitFor(() => expect(leave).toHaveBeenCalledTimes(1));
  });

  test("who has it is shown their plan and the way to manage it", async () => {
    answers["GET /subscriptions"] = [200, { subscriptions: [SUB] }];
    await open("/premium");
    expect((await screen.findByTestId("premium-current")).textContent).toContain("Renews on");
    expect(screen.queryByTestId("subscribe")).toBe(null);
    expect(screen.getByTestId("plan-premium-monthly").textContent).toContain("Your plan");
  });

  test("who is not signed in is asked to, and where nothing is sold it says so", async () => {
    answers["GET /auth/me"] = [401, error("auth.required")];
    await open("/premium");
    expect((await screen.findAllByText("Sign in to subscribe"))[0]!.closest("a")!.getAttribute("href")).toBe("/signin");
    cleanup();
    vi.resetModules();
    answers["GET /plans"] = [404, error("not_found")];
    await open("/premium");
    expect(await screen.findByTestId("payments-off")).toBeTruthy();
  });
});

describe("coming back", () => {
  const state = async (wanted: string) => waitFor(() => expect(screen.getByTestId("payment").dataset["state"]).toBe(wanted), { timeout: 5000 });

  test("a payment that is told a moment later is seen without doing anything, and the session is asked anew", async () => {
    let count = 0;
    answers["GET /checkout/o1"] = () => [200, { ...ORDER, ...(++count > 1 ? { state: "paid", url: null } : {}) }];
    sessionStorage.setItem("footlight.wish.o1", JSON.stringify({ path: "/video/7", name: "the video" }));
    await open("/checkout/o1");
    await state("waiting");
    await state("paid");
    expect(screen.getByTestId("onward").getAttribute("href")).toBe("/video/7");
    await waitFor(() => expect(times("GET /auth/me")).toBe(2));
  });

  test("who left is told that nothing was charged, and can go on paying", async () => {
    answers["GET /checkout/o1"] = [200, ORDER];
    await open("/checkout/o1?left=1");
    await state("left");
    expect(screen.getByTestId("payment").textContent).toMatch(/You left the payment page.*Nothing was charged/);
    expect(screen.getByTestId("go-on-paying").getAttribute("href")).toBe("https://pay.test/o1");
  });

  test("an order of somebody else is none, and is not asked for again", async () => {
    await open("/checkout/o1");
    await state("unknown");
    expect(times("GET /checkout/o1")).toBe(1);
  });

  test("without a session it leads to the sign-in", async () => {
    answers["GET /auth/me"] = [401, error("auth.required")];
    await open("/checkout/o1");
    expect(await screen.findByText("The sign-in page")).toBeTruthy();
  });
});

describe("the account", () => {
  beforeEach(() => {
    HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) { this.open = true; };
    answers["GET /subscriptions"] = [200, { subscriptions: [SUB] }];
  });

  test("canceling asks first and says until when one keeps it; then it can be taken back", async () => {
    const canceled = { ...SUB, status: "canceled", cancel_at_period_end: true };
    answers["POST /subscriptions/s1/cancel"] = () => {
      answers["GET /subscriptions"] = [200, { subscriptions: [canceled] }];
      return [200, canceled];
    };
    await open("/account");
    await userEvent.click(await screen.findByTestId("cancel"));
    expect(screen.getByRole("dialog").textContent).toContain("You keep everything until");
    expect(times("POST /subscriptions/s1/cancel")).toBe(0);
    await userEvent.click(screen.getByTestId("confirm"));
    expect(await screen.findByTestId("resume")).toBeTruthy();
    expect(screen.getByTestId("subscription").dataset["kind"]).toBe("ends");
  });

  test("a change shows what is due before it is made; a refused card changes nothing", async () => {
    const change = { plan_id: "premium-yearly", due_minor: 4700, tax_minor: 0, currency: "eur", prorated_at: "2026-11-23T12:00:00Z" };
    answers["GET /subscriptions/s1/preview?plan_id=premium-yearly"] = [200, change];
    answers["POST /subscriptions/s1/plan"] = [409, error("payment.refused")];
    await open("/account");
    await userEvent.click(await screen.findByTestId("change-plan"));
    await waitFor(() => expect(screen.getByTestId("preview").textContent).toMatch(/Due now: .*47/));
    await userEvent.click(screen.getByTestId("confirm-change"));
    expect((await screen.findByRole("alert")).textContent).toContain("nothing has changed and nothing was taken");
  });

  test("without a subscription it says so and shows the way", async () => {
    answers["GET /subscriptions"] = [200, { subscriptions: [] }];
    await open("/account");
    expect((await screen.findByTestId("no-subscriptions")).querySelector("a")!.getAttribute("href")).toBe("/premium");
  });

  test("where nothing is sold there is no such part", async () => {
    answers["GET /plans"] = [404, error("not_found")];
    await open("/account");
    await waitFor(() => expect(times("GET /plans")).toBe(1));
    await waitFor(() => expect(screen.queryByTestId("subscriptions")).toBe(null));
  });
});
