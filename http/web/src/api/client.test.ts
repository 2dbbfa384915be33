// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { call, refreshSession, rememberSignedIn, wasSignedIn, whenSessionIsOver } from "./client";

type Reply = { status: number; body?: unknown };
const asked: string[] = [];

/** A server in a function: `expired` until a refresh, which may be refused. */
function serve({ refresh }: { refresh: Reply }) {
  let expired = true;
  vi.stubGlobal("fetch", async (url: string) => {
    const path = url.replace("/api/v1", "");
    asked.push(path);
    await Promise.resolve();
    if (path === "/auth/refresh") {
      expired = refresh.status !== 200;
      return new Response(JSON.stringify(refresh.body ?? {}), { status: refresh.status });
    }
    const gone = { error: { code: "auth.token_expired", message: "Refresh." } };
    return expired ? new Response(JSON.stringify(gone), { status: 401 }) : new Response('{"id":"u1"}', { status: 200 });
  });
}

beforeEach(() => {
  asked.length = 0;
  localStorage.clear();
  rememberSignedIn(true);
  localStorage.removeItem("footlight.refreshed_at");
});
afterEach(() => {
  vi.unstubAllGlobals();
  whenSessionIsOver(() => {});
});

test("calls that expire together share one refresh and are tried again", async () => {
  serve({ refresh: { status: 200 } });
  await expect(Promise.all([call("/auth/me"), call("/streams/mine")])).resolves.toEqual([{ id: "u1" }, { id: "u1" }]);
  expect(asked.filter((path) => path === "/auth/refresh")).toHaveLength(1);
});

test("a refused refresh ends the session once and keeps the first error", async () => {
  const over = vi.fn();
  whenSessionIsOver(over);
  serve({ refresh: { status: 401, body: { error: { code: "auth.session_over", message: "Sign in." } } } });
  await expect(call("/auth/me")).rejects.toMatchObject({ code: "auth.token_expired" });
  expect(over).toHaveBeenCalledTimes(1);
  expect(wasSignedIn()).toBe(false);
});

test("who was never signed in costs no refresh", async () => {
  rememberSignedIn(false);
  serve({ refresh: { status: 200 } });
  await expect(call("/auth/me")).rejects.toMatchObject({ status: 401 });
  expect(asked).toEqual(["/auth/me"]);
});

test("a refresh that another tab has just made is used", async () => {
  serve({ refresh: { status: 200 } });
  const since = Date.now() - 1000;
  rememberSignedIn(true);
  await expect(refreshSession(since)).resolves.toBe(true);
  expect(asked).toEqual([]);
});

test("no answer at all is an offline error", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  await expect(call("/streams")).rejects.toMatchObject({ status: 0, code: "network.offline" });
});
