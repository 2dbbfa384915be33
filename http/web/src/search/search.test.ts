import { describe, expect, it } from "vitest";
import { ago } from "../video/VideoCard";
import { categoriesOf, narrowed, read, wantedOf, write } from "./filters";

const NOW = Date.parse("2026-11-22T12:00:00Z");

describe("what is asked of search", () => {
  it("stands in the address, and only what is chosen", () => {
    const chosen = read(new URLSearchParams("q=sea+waves&length=short&age=week&sort=views&price=nonsense"));
    expect(chosen).toEqual({ q: "sea waves", length: "short", age: "week", sort: "views", price: "any", category: "" });
    expect(write(chosen).toString()).toBe("q=sea+waves&length=short&age=week&sort=views");
    expect(read(write(chosen))).toEqual(chosen);
  });

  it("becomes seconds and dates", () => {
    expect(wantedOf(read(new URLSearchParams("length=medium&age=day&price=free")), NOW)).toEqual({
      q: "", category: "", min_seconds: 240, max_seconds: 1200, from: "2026-11-21T12:00:00.000Z", premium: false, sort: "relevance",
    });
    expect(wantedOf(read(new URLSearchParams("")), NOW)).toMatchObject({ min_seconds: null, max_seconds: null, from: null, premium: null });
  });
});

it("how long ago is said as people do", () => {
  const before = (seconds: number) => ago(new Date(NOW - seconds * 1000).toISOString(), NOW);
  expect([5, 300, 7300, 90_000, 3 * 86_400].map(before)).toEqual(["just now", "5 min ago", "2 h ago", "1 day ago", "3 days ago"]);
});

it("knows what narrows a search, and each category once whatever its case", () => {
  expect(narrowed(read(new URLSearchParams("q=sea&sort=views")))).toBe(false);
  expect(narrowed(read(new URLSearchParams("category=Music")))).toBe(true);
  expect(categoriesOf(["Music"], ["science", null, "music"], "Art")).toEqual(["Art", "Music", "science"]);
});
