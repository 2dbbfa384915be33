// @vitest-environment happy-dom
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { read } from "./filters";
import { useSearch } from "./useSearch";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const page = (ids: string[], next_cursor: string | null) => ({ results: ids.map((id) => ({ video: { id }, highlights: {} })), total: 3, next_cursor });
const ids = (found: ReturnType<typeof useSearch>["found"]) => found?.results.map(({ video }) => video.id);

function answering(...answers: [number, unknown][]): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(new URL(url, "http://here").searchParams);
    const [status, body] = answers[asked.length - 1] ?? [500, null];
    return Promise.resolve(Response.json(body, { status }));
  });
  return asked;
}

test("the next page is asked for with the very same question, and a video that moved is shown once", async () => {
  const asked = answering([200, page(["a", "b"], "next")], [200, page(["b", "c"], null)]);
  const { result } = renderHook(() => useSearch(read(new URLSearchParams("q=sea&age=week"))));
  await waitFor(() => expect(ids(result.current.found)).toEqual(["a", "b"]));
  await new Promise((later) => setTimeout(later, 5));
  act(() => result.current.loadMore());
  await waitFor(() => expect(ids(result.current.found)).toEqual(["a", "b", "c"]));
  expect(asked[1]?.get("cursor")).toBe("next");
  expect(asked[1]?.get("from")).toBe(asked[0]?.get("from"));
});

test("a page that fails leaves what is there and can be asked for again", async () => {
  answering([200, page(["a"], "next")], [503, { error: { code: "service.search", message: "Away." } }], [200, page(["b"], null)]);
  const { result } = renderHook(() => useSearch(read(new URLSearchParams("q=sea"))));
  await waitFor(() => expect(ids(result.current.found)).toEqual(["a"]));
  act(() => result.current.loadMore());
  await waitFor(() => expect(result.current.error?.code).toBe("service.search"));
  expect(ids(result.current.found)).toEqual(["a"]);
  act(() => result.current.loadMore());
  await waitFor(() => expect(ids(result.current.found)).toEqual(["a", "b"]));
  expect(result.current.error).toBeNull();
});
