import { expect, test } from "vitest";
import { mentions, messageLength, waitSeconds } from "./text";

test("length is counted as the server counts it", () => {
  expect(messageLength("  hé ")).toBe(2);
  expect(messageLength("e\u0301")).toBe(1);
  expect(messageLength("🎸🎸")).toBe(2);
});

test.each([
  ["hi @Ada!", true], ["@ada", true], ["@adam", false], ["ada", false], ["mail@ada.org", true],
])("%j mentions Ada: %s", (text, expected) => expect(mentions(text, "Ada")).toBe(expected));

test("an anonymous viewer is never mentioned", () => expect(mentions("@null", null)).toBe(false));

test("a wait is never shown as nothing", () => expect([waitSeconds(1), waitSeconds(2001)]).toEqual([1, 3]));
