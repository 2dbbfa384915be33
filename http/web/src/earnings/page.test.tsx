// @vitest-environment happy-dom
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes, useLocation } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Balance, Day, Overview, Payout } from "../api/earnings";
import { SessionProvider } from "../session/SessionProvider";
import { ToastProvider } from "../ui/Toasts";
import EarningsPage from "./EarningsPage";

vi.mock("../realtime/socket", () => ({ reconnectAs: () => {} }));
vi.mock("./DaysChart", () => ({ default: () => <p>The chart</p> })); // a canvas is needed; the browser tests look at it

const me = { id: "me", email: "me@example.com", display_name: "Me", role: "creator", subscription_tier: "free", created_at: "2026-01-01T00:00:00Z" };
const ACCOUNT: Overview["account"] = { state: "ready", country: "DE", requirements: [], schedule: "manual", schedule_words: "when you ask for it", next_payout_at: null, next_payout_words: null };
const BALANCE: Balance = { currency: "eur", pending_minor: 700, available_minor: 2500, reserve_minor: 0, transit_minor: 0, paid_minor: 9000 };
const OVERVIEW: Overview = { account: ACCOUNT, balances: [BALANCE], forecast: [{ currency: "eur", at: null, amount_minor: 2500, how: "Paid when you ask for it." }], minimum_minor: 2000, currency: "eur" };
const DAYS: Day[] = [{ date: "2026-11-23", revenue: [{ source: "gift", currency: "eur", earned_minor: 500, returned_minor: 0, sales: 1 }], gained: { 1: 1 }, lost: {}, subscribers: { 1: 3 } }];
const PAYOUT: Payout = { id: "p", amount_minor: 2500, currency: "eur", state: "asked", asked_by: "creator", asked_at: "2026-11-23T12:00:00Z", sent_at: null, failed_at: null, returned_at: null, failure: null, failure_words: null };

type Answer = [number, unknown];
let answers: Record<string, Answer | (() => Answer)>;
const asked: { what: string; query: string; body: unknown; key: string | undefined }[] = [];
const leave = vi.fn();
const refused = (code: string, details = {}): unknown => ({ error: { code, message: `No: ${code}.`, details } });

beforeEach(() => {
  asked.length = 0;
  leave.mockReset();
  answers = {
    "GET /auth/me": [200, me], "GET /earnings": [200, OVERVIEW], "GET /earnings/days": [200, { time_zone: "UTC", days: DAYS }],
    "GET /earnings/supporters": [200, { currency: "eur", supporters: [{ id: "b", name: "Bea", spent_minor: 1250, sales: 2, last_at: "2026-11-23T12:00:00Z" }, { id: null, name: null, spent_minor: 100, sales: 1, last_at: "2026-11-23T12:00:00Z" }] }],
    "GET /earnings/streams": [200, { streams: [] }], "GET /payouts": [200, { payouts: [], next_cursor: null }], "GET /earnings/statements": [200, { months: ["2026-10"], currencies: ["eur"] }],
  };
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) { this.open = true; };
  vi.stubGlobal("fetch", vi.fn((url: string, init: RequestInit) => {
    const [path, query = ""] = String(url).replace("/api/v1", "").split("?");
    const what = `${init.method} ${path}`;
    asked.push({ what, query, body: init.body ? JSON.parse(String(init.body)) : null, key: (init.headers as Record<string, string>)["idempotency-key"] });
    const found = answers[what];
    const [status, body] = typeof found === "function" ? found() : (found ?? [404, refused("not_found")]);
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  }));
  vi.spyOn(location, "assign").mockImplementation(leave);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const all = (what: string) => asked.filter((one) => one.what === what);
const Address = () => <p data-testid="address">{useLocation().search}</p>;

function open(path = "/studio/earnings") {
  render(
    <MemoryRouter initialEntries={[path]}>
      <SessionProvider><ToastProvider>
        <Routes>
          <Route path="/studio/earnings" element={<EarningsPage />} />
          <Route path="/studio" element={<p>The studio</p>} />
          <Route path="/signin" element={<p>The sign-in page</p>} />
        </Routes>
        <Address />
      </ToastProvider></SessionProvider>
    </MemoryRouter>,
  );
}

describe("who may see it", () => {
  test("who is no creator is led to the studio", async () => {
    answers["GET /auth/me"] = [200, { ...me, role: "free" }];
    open();
    await screen.findByText("The studio");
  });

  test("where payments are off it says so", async () => {
    delete answers["GET /earnings"];
    open();
    await screen.findByTestId("payments-off");
  });

  test("without an answer one can try again", async () => {
    answers["GET /earnings"] = [503, refused("unavailable")];
    open();
    await screen.findByText("Your earnings could not be loaded");
    answers["GET /earnings"] = [200, OVERVIEW];
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect((await screen.findByTestId("balance-available")).textContent).toMatch(/25\.00/);
  });
});

describe("the figures", () => {
  test("are asked for the days in the address, and for others when they are chosen", async () => {
    open("/studio/earnings?days=7");
    await screen.findByText("The chart");
    const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone);
    expect(all("GET /earnings/days")[0]!.query).toContain(`time_zone=${zone}`);
    await userEvent.click(screen.getByRole("button", { name: "90 days" }));
    await waitFor(() => expect(all("GET /earnings/days")).toHaveLength(2));
    expect(screen.getByTestId("address").textContent).toBe("?days=90");
    expect(screen.getByTestId("sum-net").textContent).toMatch(/5\.00/);
  });

  test("two days of one's own that make no sense are refused beside the field", async () => {
    open("/studio/earnings?from=2026-11-01&to=2026-11-05");
    const from = await screen.findByLabelText("From");
    await userEvent.clear(from);
    await userEvent.type(from, "2026-11-09");
    await userEvent.click(screen.getByRole("button", { name: "Show" }));
    expect((await screen.findByRole("alert")).textContent).toContain("must not be after");
    expect(all("GET /earnings/days")).toHaveLength(1);
  });

  test("a part that fails says so alone, and tries again", async () => {
    answers["GET /earnings/supporters"] = [500, refused("internal")];
    open();
    const part = await screen.findByTestId("supporters");
    await within(part).findByRole("alert");
    await screen.findByText("The chart");
    answers["GET /earnings/supporters"] = [200, { currency: "eur", supporters: [{ id: "b", name: "Bea", spent_minor: 1250, sales: 2, last_at: "2026-11-23T12:00:00Z" }] }];
    await userEvent.click(within(part).getByRole("button", { name: "Try again" }));
    await within(part).findByText("Bea");
  });

  test("a supporter whose account is gone is named so", async () => {
    open();
    await screen.findByText("An account that is gone");
  });

  test("the table has the days, the statements have addresses", async () => {
    open();
    await screen.findByText("The chart");
    await userEvent.click(screen.getByText("As a table"));
    expect((await screen.findAllByRole("rowheader")).map((cell) => cell.textContent)).toContain(new Date(2026, 10, 23).toLocaleDateString(undefined, { month: "short", day: "numeric" }));
    expect(screen.getByTestId("statement-pdf").getAttribute("href")).toBe("/api/v1/earnings/statements/2026-10.pdf?currency=eur");
  });

  test("several currencies can be chosen between", async () => {
    answers["GET /earnings"] = [200, { ...OVERVIEW, balances: [BALANCE, { ...BALANCE, currency: "usd", available_minor: 100 }] }];
    open();
    await userEvent.selectOptions(await screen.findByLabelText("Currency"), "usd");
    expect(screen.getByTestId("balance-available").textContent).toMatch(/1\.00/);
    await waitFor(() => expect(all("GET /earnings/supporters").at(-1)!.query).toContain("currency=usd"));
  });

  test("a debt is explained", async () => {
    answers["GET /earnings"] = [200, { ...OVERVIEW, balances: [{ ...BALANCE, available_minor: -1200 }] }];
    open();
    expect((await screen.findByTestId("debt")).textContent).toMatch(/You owe .*12\.00/);
    expect((screen.getByTestId("ask-payout") as HTMLButtonElement).disabled).toBe(true);
  });
});

describe("asking for a payout", () => {
  const begin = async () => {
    open();
    await userEvent.click(await screen.findByTestId("ask-payout"));
    expect(screen.getByTestId("payout-amount").textContent).toMatch(/25\.00/);
  };

  test("two presses are one payout, and the list is read again", async () => {
    answers["POST /payouts"] = [201, PAYOUT];
    await begin();
    await userEvent.dblClick(screen.getByTestId("confirm"));
    expect((await screen.findByTestId("toast")).textContent).toContain("on its way");
    expect(all("POST /payouts")).toHaveLength(1);
    expect(all("POST /payouts")[0]).toMatchObject({ body: { currency: "eur" } });
    await waitFor(() => expect(all("GET /earnings").length).toBeGreaterThan(1));
  });

  test("after no answer the same wish keeps its key", async () => {
    answers["POST /payouts"] = [503, refused("payment.stripe")];
    await begin();
    await userEvent.click(screen.getByTestId("confirm"));
    expect((await screen.findByRole("alert")).textContent).toContain("Trying again is safe");
    answers["POST /payouts"] = [201, PAYOUT];
    await userEvent.click(screen.getByTestId("confirm"));
    await screen.findByTestId("toast");
    const keys = all("POST /payouts").map((one) => one.key);
    expect(keys[0]).toBeTruthy();
    expect(keys[1]).toBe(keys[0]);
  });

  test("too little says from which amount on", async () => {
    answers["GET /earnings"] = [200, { ...OVERVIEW, balances: [{ ...BALANCE, available_minor: 1900 }] }];
    open();
    expect((await screen.findByTestId("payout-problem")).textContent).toMatch(/begin at .*20\.00/);
  });
});

describe("the account at Stripe", () => {
  const account = (more: Partial<Overview["account"]>) => (answers["GET /earnings"] = [200, { ...OVERVIEW, account: { ...ACCOUNT, ...more } }]);

  test("is set up on Stripe's pages, for a country", async () => {
    account({ state: "none", country: null });
    answers["POST /payouts/account"] = [201, { url: "https://connect.test/1", expires_at: 1 }];
    open();
    await userEvent.selectOptions(await screen.findByLabelText("Your country"), "DE");
    await userEvent.click(screen.getByTestId("onboard"));
    await waitFor(() => expect(leave).toHaveBeenCalledWith("https://connect.test/1"));
    expect(all("POST /payouts/account")[0]!.body).toEqual({ country: "DE" });
    expect(screen.queryByText("When you are paid")).toBe(null);
  });

  test("that needs more says what", async () => {
    account({ state: "incomplete", requirements: ["external_account"] });
    open();
    await screen.findByText("The bank account your earnings go to");
    expect(screen.getByTestId("onboard").textContent).toContain("Go on");
  });

  test("is looked at anew by who comes back, once, and the address is tidied", async () => {
    answers["POST /payouts/account/refresh"] = [200, ACCOUNT];
    open("/studio/earnings?account=done&days=7");
    await waitFor(() => expect(all("POST /payouts/account/refresh")).toHaveLength(1));
    await waitFor(() => expect(screen.getByTestId("address").textContent).toBe("?days=7"));
  });

  test("with a link that was too old gets another by itself", async () => {
    account({ state: "incomplete", country: "AT" });
    answers["POST /payouts/account"] = [201, { url: "https://connect.test/2", expires_at: 1 }];
    open("/studio/earnings?account=again");
    await waitFor(() => expect(leave).toHaveBeenCalledWith("https://connect.test/2"));
    expect(all("POST /payouts/account")[0]!.body).toEqual({ country: "AT" });
  });

  test("is paid by the schedule that was saved", async () => {
    answers["PATCH /payouts/account"] = [200, { ...ACCOUNT, schedule: "weekly", schedule_words: "every Monday", next_payout_words: "30 November 2026" }];
    open();
    await userEvent.click(await screen.findByRole("radio", { name: /Every week/ }));
    await userEvent.click(screen.getByTestId("save-schedule"));
    expect((await screen.findByTestId("toast")).textContent).toContain("every Monday: next on 30 November 2026");
    expect(all("PATCH /payouts/account")[0]!.body).toEqual({ schedule: "weekly" });
  });
});

test("payouts say what became of them, and older ones come on demand", async () => {
  answers["GET /payouts"] = () => [200, all("GET /payouts").at(-1)!.query.includes("cursor") ? { payouts: [{ ...PAYOUT, id: "old", state: "sent" }], next_cursor: null } : { payouts: [{ ...PAYOUT, state: "failed", failure: "x", failure_words: "Look at your details." }], next_cursor: "c1" }];
  open();
  await screen.findByText(/Look at your details/);
  await userEvent.click(screen.getByRole("button", { name: "Show more" }));
  await waitFor(() => expect(screen.getAllByTestId("payout").map((line) => line.dataset["state"])).toEqual(["failed", "sent"]));
  expect(screen.queryByRole("button", { name: "Show more" })).toBe(null);
});
