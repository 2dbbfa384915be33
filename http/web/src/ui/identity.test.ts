import { expect, test } from "vitest";
import { hueOf, initialsOf } from "./identity";

test("one id has one hue, another id mostly another", () => {
  expect(hueOf("user-1")).toBe(hueOf("user-1"));
  expect(new Set(Array.from({ length: 50 }, (_, n) => hueOf(`user-${n}`))).size).toBeGreaterThan(30);
});

test.each([["Ada Lovelace", "AL"], ["cleo", "C"], ["  ", "?"], ["Ünal van Öz", "ÜÖ"], ["🎸 Band", "🎸B"]])("initials of %j are %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});
