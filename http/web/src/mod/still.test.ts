import { expect, test } from "vitest";
import { live, select, shownOf, step, type Still } from "./still";

interface Item {
  id: string;
  text: string;
}
const items = (...ids: number[]): Item[] => ids.map((id) => ({ id: String(id), text: `line ${id}` }));
const range = (from: number, to: number) => items(...Array.from({ length: to - from + 1 }, (_, index) => from + index));
const ids = (list: Item[]) => list.map((item) => item.id).join(" ");
const fresh: Still<Item> = live;

test("a flood moves nothing while a line is selected, and is counted", () => {
  const still = select(fresh, range(1, 5), "3");
  const flood = range(400, 900); // the old lines have even left the room's memory
  expect(ids(shownOf(still, flood).items)).toBe("1 2 3 4 5");
  expect(shownOf(still, range(1, 29)).waiting).toBe(24);
  expect(shownOf(still, flood).waiting).toBe(501);
});

test("a line that is removed elsewhere stays in its place and says so", () => {
  const still = select(fresh, range(1, 3), "2");
  const now = range(1, 4).map((item) => (item.id === "2" ? { ...item, text: "removed" } : item));
  expect(shownOf(still, now).items.map((item) => item.text)).toEqual(["line 1", "removed", "line 3"]);
});

test("a line that left the list says what became of it where it is still looked at", () => {
  const still = select(fresh, range(1, 2), "1");
  expect(shownOf(still, items(2), "last", [{ id: "1", text: "approved" }, ...items(2)]).items[0]).toEqual({ id: "1", text: "approved" });
});

test("one moves line by line, and beyond the last one new ones are let in", () => {
  let still = step(fresh, range(1, 3), -1);
  expect(still.selected).toBe("3");
  still = step(still, range(1, 6), -1);
  expect([still.selected, ids(shownOf(still, range(1, 6)).items)]).toEqual(["2", "1 2 3"]);
  still = step(step(still, range(1, 6), 1), range(1, 6), 1);
  expect([still.selected, ids(shownOf(still, range(1, 6)).items)]).toEqual(["4", "1 2 3 4 5 6"]);
  expect(step(step(step(still, range(1, 6), 1), range(1, 6), 1), range(1, 6), 1).selected).toBe("6");
});

test("a log grows at its beginning", () => {
  let still = step(fresh, items(3, 2, 1), 1, "first");
  expect(still.selected).toBe("3");
  expect(shownOf(still, items(5, 4, 3, 2, 1), "first").waiting).toBe(2);
  still = step(still, items(5, 4, 3, 2, 1), -1, "first");
  expect([still.selected, ids(shownOf(still, items(5, 4, 3, 2, 1), "first").items)]).toEqual(["4", "5 4 3 2 1"]);
});

test("in an empty list nothing is selected", () => {
  expect(step(fresh, [], 1).selected).toBe(null);
});
