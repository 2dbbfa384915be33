// @vitest-environment happy-dom
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Deed, Dossier, KnownPayment } from "../api/paymentsAdmin";
import type { Plan } from "../api/payments";
import { SessionProvider } from "../session/SessionProvider";
import { ToastProvider } from "../ui/Toasts";
import PaymentsAdmin from "./PaymentsAdmin";
import { afterwards, compProblems, idIn, refundProblem, rightWords, untilOf } from "./words";

vi.mock("../realtime/socket", () => ({ reconnectAs: () => {} }));

const USER = { id: "0190a1b2-0000-7000-8000-0000000000b1", email: "bea@example.com", display_name: "Bea", role: "free" as const, subscription_tier: "free" as const, created_at: "2026-01-01T00:00:00Z" };
const CREATOR = "0190a1b2-0000-7000-8000-0000000000c1";
const root = { ...USER, id: "root", email: "root@example.com", display_name: "Root", role: "admin" };
const plan = (id: string, scope: Plan["scope"], level: number): Plan => ({ id, name: id, scope, level, interval: "month", amount_minor: 499, currency: "eur" });
const PLANS = [plan("premium-monthly", "premium", 1), plan("channel-2", "channel", 2)];
const PAYMENT: KnownPayment = { reference: "invoice:in_1", source: "subscription", creator_id: CREATOR, order_id: "o1", currency: "eur", paid_minor: 999, left_minor: 999, at: "2026-11-20T12:00:00Z" };
const DOSSIER: Dossier = { user: USER, stripe_customer_id: "cus_1", orders: [], subscriptions: [], payments: [PAYMENT], rights: [{ user_id: USER.id, scope: "premium", source: "comp:1", level: 1, starts_at: "2026-11-20T12:00:00Z", until: null, in_grace: false }], payout_account: null, balances: [], payouts: [], deeds: [] };
const deed = (id: string, more: Partial<Deed> = {}): Deed => ({ id, action: "look_up", actor_id: "root", actor_name: "Root", user_id: USER.id, at: "2026-11-20T12:00:00Z", about: null, reason: "", before: null, after: null, ...more });

/** As the server: until the password was given everything is refused. */
let fresh: boolean;
let answers: Record<string, [number, unknown]>;
const asked: { what: string; body: Record<string, unknown>; key: string | undefined }[] = [];
const refused = (code: string, message = `No: ${code}.`): unknown => ({ error: { code, message } });

beforeEach(() => {
  asked.length = 0;
  fresh = true;
  answers = {
    "GET /auth/me": [200, root], "GET /plans": [200, { plans: PLANS, currency: "eur", gifts_at_once: 1, message_max_minor: 1, message_steps: [] }],
    "GET /admin/payments/customer": [200, DOSSIER], "GET /admin/payments/audit": [200, { deeds: [deed("1")], next_cursor: null }],
  };
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) { this.open = true; };
  vi.stubGlobal("fetch", vi.fn((url: string, init: RequestInit) => {
    const what = `${init.method} ${String(url).replace("/api/v1", "").split("?")[0]}`;
    const body = init.body ? (JSON.parse(String(init.body)) as Record<string, unknown>) : {};
    asked.push({ what, body, key: (init.headers as Record<string, string>)["idempotency-key"] });
    let [status, answer] = answers[what] ?? [404, refused("not_found")];
    if (what === "POST /auth/confirm") {
      fresh = body["password"] === "right";
      [status, answer] = fresh ? [204, null] : [403, refused("auth.wrong_password")];
    } else if (what.includes("/admin/") && !fresh) [status, answer] = [403, refused("payment.sign_in_again", "Confirm your password to do this.")];
    return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(answer), { status }));
  }));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const times = (what: string) => asked.filter((one) => one.what === what).length;
const last = (what: string) => asked.findLast((one) => one.what === what)!;
const open = (search = "") => render(
  <MemoryRouter initialEntries={[`/admin/payments${search}`]}>
    <SessionProvider><ToastProvider><Routes><Route path="/admin/payments" element={<PaymentsAdmin />} /></Routes></ToastProvider></SessionProvider>
  </MemoryRouter>,
);
const give = async (password: string) => {
  await userEvent.type(await screen.findByLabelText("Your password"), password);
  await userEvent.click(screen.getByTestId("confirm-password"));
};

describe("who may see the desk", () => {
  test.each(["creator", "free", "premium"])("a %s finds no page there, and nothing is asked", async (role) => {
    answers["GET /auth/me"] = [200, { ...root, role }];
    open("?q=bea");
    await screen.findByTestId("not-found");
    expect(times("GET /admin/payments/audit")).toBe(0);
  });

  test("who is signed out neither", async () => {
    answers["GET /auth/me"] = [401, refused("auth.required")];
    open();
    await screen.findByTestId("not-found");
  });
});

describe("a fresh sign-in", () => {
  test("is asked for once for all that waits, and then it is done by itself", async () => {
    fresh = false;
    open("?q=bea%40example.com");
    expect(await screen.findAllByTestId("fresh-sign-in")).toHaveLength(1);
    await give("wrong");
    expect((await screen.findByRole("alert")).textContent).toBe("This is not your password.");
    await userEvent.clear(screen.getByLabelText("Your password"));
    await give("right");
    await screen.findByTestId("customer");
    await screen.findByText("Looked at a customer");
    expect(screen.queryByTestId("fresh-sign-in")).toBe(null);
  });

  test("that is not given leaves a way to try again", async () => {
    fresh = false;
    open();
    await screen.findByTestId("fresh-sign-in");
    await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect((await within(screen.getByTestId("audit")).findByRole("alert")).textContent).toContain("Confirm your password");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await give("right");
    await screen.findByText("Looked at a customer");
  });

  test("in the middle of a deed repeats the deed with the same key", async () => {
    answers["POST /admin/payments/refunds"] = [201, { refund_id: "re_1", reference: PAYMENT.reference, amount_minor: 999, currency: "eur", left_minor: 0 }];
    open("?q=bea");
    await userEvent.click(await screen.findByTestId("refund"));
    await userEvent.type(screen.getByLabelText("Reason"), "by mistake");
    await userEvent.click(screen.getByTestId("refund-next"));
    fresh = false;
    await userEvent.click(screen.getByTestId("confirm"));
    await give("right");
    await screen.findByTestId("toast");
    const [first, second] = asked.filter((one) => one.what === "POST /admin/payments/refunds");
    expect(second).toEqual(first);
    expect(first!.key).toBeTruthy();
  });
});

describe("looking somebody up", () => {
  test("shows what payments know of them", async () => {
    open();
    await userEvent.type(await screen.findByLabelText("Customer"), "bea@example.com");
    await userEvent.click(screen.getByTestId("look-up"));
    const customer = await screen.findByTestId("customer");
    expect(within(customer).getByText("cus_1")).toBeTruthy();
    expect(within(customer).getByText("Given by support, until it is taken back")).toBeTruthy();
    expect(within(customer).queryByTestId("payouts-desk")).toBe(null);
  });

  test("nobody is said so, without an offer to try again", async () => {
    answers["GET /admin/payments/customer"] = [404, refused("payment.customer_not_found")];
    open("?q=nobody");
    await screen.findByText("Nobody found");
    expect(screen.queryByRole("button", { name: "Try again" })).toBe(null);
  });
});

describe("deeds", () => {
  const begin = async (button: string) => {
    open("?q=bea");
    await userEvent.click(await screen.findByTestId(button));
  };

  test("a refund needs an amount that is there and a reason, and shows the amount once more", async () => {
    answers["POST /admin/payments/refunds"] = [503, refused("payment.stripe")];
    await begin("refund");
    const amount = screen.getByLabelText("Amount in EUR");
    await userEvent.clear(amount);
    await userEvent.type(amount, "10");
    await userEvent.click(screen.getByTestId("refund-next"));
    expect(screen.getAllByRole("alert").map((one) => one.textContent).join()).toMatch(/At most .*9\.99.*Say why/);
    await userEvent.clear(amount);
    await userEvent.type(amount, "4.50");
    await userEvent.type(screen.getByLabelText("Reason"), "half of it");
    await userEvent.click(screen.getByTestId("refund-next"));
    expect(screen.getByTestId("refund-amount").textContent).toMatch(/4\.50/);
    await userEvent.click(screen.getByTestId("confirm"));
    await screen.findByRole("alert");
    expect(last("POST /admin/payments/refunds").body).toEqual({ reference: "invoice:in_1", amount_minor: 450, reason: "half of it" });
    const { key } = last("POST /admin/payments/refunds");
    // Without an answer the same key; after a no another.
    answers["POST /admin/payments/refunds"] = [409, refused("payment.refund_too_large")];
    await userEvent.click(screen.getByTestId("confirm"));
    await screen.findByText("No: payment.refund_too_large.");
    expect(last("POST /admin/payments/refunds").key).toBe(key);
    await userEvent.click(screen.getByTestId("confirm"));
    await waitFor(() => expect(times("POST /admin/payments/refunds")).toBe(3));
    expect(last("POST /admin/payments/refunds").key).not.toBe(key);
  });

  test("a subscription is given for a channel named by its address, and the page is read again", async () => {
    answers["POST /admin/payments/comps"] = [201, DOSSIER.rights[0]];
    await begin("comp");
    await userEvent.selectOptions(screen.getByLabelText("Which subscription"), "channel-2");
    await userEvent.type(screen.getByLabelText("Of which channel"), `http://localhost/creators/${CREATOR}`);
    await userEvent.clear(screen.getByLabelText("For how many days"));
    await userEvent.type(screen.getByLabelText("Reason"), "a prize");
    await userEvent.click(screen.getByRole("button", { name: "Give it until taken back" }));
    await screen.findByTestId("toast");
    expect(last("POST /admin/payments/comps").body).toEqual({ user_id: USER.id, plan_id: "channel-2", creator_id: CREATOR, reason: "a prize" });
    await waitFor(() => expect(times("GET /admin/payments/customer")).toBe(2));
  });

  test("what was given is taken back with a reason", async () => {
    answers["POST /admin/payments/comps/end"] = [200, DOSSIER.rights[0]];
    await begin("end-comp");
    await userEvent.click(screen.getByTestId("confirm"));
    expect((await screen.findByRole("alert")).textContent).toContain("Say why");
    await userEvent.type(screen.getByLabelText("Reason"), "over");
    await userEvent.click(screen.getByTestId("confirm"));
    await screen.findByTestId("toast");
    expect(last("POST /admin/payments/comps/end").body).toEqual({ user_id: USER.id, source: "comp:1", reason: "over" });
  });

  test("payouts are stopped, and let go on again", async () => {
    answers["GET /admin/payments/customer"] = [200, { ...DOSSIER, user: { ...USER, role: "creator" } }];
    answers["POST /admin/payments/freeze"] = [200, {}];
    await begin("freeze");
    await userEvent.type(screen.getByLabelText("Reason"), "a stolen card");
    answers["GET /admin/payments/customer"] = [200, { ...DOSSIER, user: { ...USER, role: "creator" }, payout_account: { creator_id: USER.id, stripe_account_id: null, country: null, details_submitted: false, payouts_enabled: false, requirements: [], schedule: "manual", next_payout_at: null, frozen_at: "2026-11-20T12:00:00Z", frozen_reason: "a stolen card" } }];
    await userEvent.click(screen.getByTestId("confirm"));
    await screen.findByTestId("unfreeze");
    expect(last("POST /admin/payments/freeze").body).toEqual({ creator_id: USER.id, reason: "a stolen card" });
    expect(screen.getByTestId("payouts-desk").textContent).toContain("a stolen card");
  });
});

test("the log comes in pages and leads to whom it concerned", async () => {
  answers["GET /admin/payments/audit"] = [200, { deeds: [deed("1", { action: "refund", reason: "by mistake", after: { left_minor: 0 } })], next_cursor: "c1" }];
  open();
  await screen.findByText("Gave a payment back");
  answers["GET /admin/payments/audit"] = [200, { deeds: [deed("2", { action: "comp" })], next_cursor: null }];
  await userEvent.click(screen.getByTestId("more-deeds"));
  await waitFor(() => expect(screen.getAllByTestId("deed").map((line) => line.dataset["action"])).toEqual(["refund", "comp"]));
  await userEvent.click(screen.getAllByRole("button", { name: `Look up customer ${USER.id}` })[0]!);
  await screen.findByTestId("customer");
});

describe("words and checks", () => {
  test("only what was paid once ends with its money", () => {
    expect(afterwards(PAYMENT, 999, false)).toContain("goes on");
    expect(afterwards({ ...PAYMENT, source: "premium" }, 999, false)).toContain("goes on");
    expect(afterwards(PAYMENT, 999, true)).toContain("ends at once");
    expect(afterwards({ ...PAYMENT, source: "gift" }, 999, false)).toContain("ends at once");
    expect(afterwards({ ...PAYMENT, source: "gift" }, 998, false)).toContain("stays");
  });

  test("an amount to give back", () => {
    const payment = { left_minor: 999, currency: "eur" };
    expect(["9.99", "0", "", "x", "10"].map((text) => refundProblem(text, payment, "en"))).toEqual([null, "Write an amount like 9.99.", "Write an amount like 9.99.", "Write an amount like 9.99.", "At most €9.99 can be given back."]);
  });

  test("what is given away", () => {
    const wish = { planId: "channel-2", channel: CREATOR, days: "30", reason: "a prize" };
    expect(compProblems(wish, PLANS)).toEqual({});
    expect(Object.keys(compProblems({ planId: "", channel: "", days: "0.5", reason: " " }, PLANS))).toEqual(["plan", "days", "reason"]);
    expect(Object.keys(compProblems({ ...wish, channel: "Ada" }, PLANS))).toEqual(["channel"]);
    expect([untilOf("", 0), untilOf("2", 0)]).toEqual([undefined, "1970-01-03T00:00:00.000Z"]);
  });

  test("an id is found in an address, and in nothing else", () => {
    expect([idIn(`https://x/creators/${CREATOR.toUpperCase()}?a`), idIn("Ada")]).toEqual([CREATOR, null]);
  });

  test("a right says where it is from and how long it stands", () => {
    const right = { ...DOSSIER.rights[0]!, source: "gift:1", until: "2026-11-20T12:00:00Z" };
    expect(rightWords(right, Date.parse("2026-11-19T12:00:00Z"), "en")).toBe("A gift, until November 20, 2026");
    expect(rightWords({ ...right, source: "subscription:1", in_grace: true }, 0, "en")).toContain("while a payment is owed");
    expect(rightWords(right, Date.parse("2026-11-21T12:00:00Z"), "en")).toBe("A gift, ended on November 20, 2026");
  });
});
