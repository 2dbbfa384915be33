import { expect, test } from "vitest";
import { BOXES, BOX_TITLES, COLUMNS, firstArrangement, heighten, HEIGHTS, hide, move, parseArrangement, placeInWords, placeOf, put, rowsOf, show, shown, widen, WIDTHS, type Arrangement, type Box, type Direction } from "./arrange";

const small: Arrangement = { ...firstArrangement, columns: [["preview", "timeline"], ["health"], ["chat", "actions"]], hidden: ["howto", "ingest", "describe", "settings"] };
const whole = (arrangement: Arrangement) => [...shown(arrangement), ...arrangement.hidden].sort();

test("a box moves within its column and to the columns beside it", () => {
  expect(move(small, "timeline", "up").columns[0]).toEqual(["timeline", "preview"]);
  expect(move(small, "preview", "down").columns[0]).toEqual(["timeline", "preview"]);
  expect(move(small, "timeline", "right").columns).toEqual([["preview"], ["health", "timeline"], ["chat", "actions"]]);
  expect(move(small, "chat", "left").columns).toEqual([["preview", "timeline"], ["chat", "health"], ["actions"]]);
});

test("at the edge nothing changes", () => {
  for (const [box, direction] of [["preview", "up"], ["preview", "left"], ["actions", "down"], ["actions", "right"], ["howto", "up"]] as [Box, Direction][]) {
    expect(move(small, box, direction)).toBe(small);
  }
});

test("in one column a box goes on into the next column, and not sideways", () => {
  expect(move(small, "health", "up", true).columns).toEqual([["preview", "health", "timeline"], [], ["chat", "actions"]]);
  expect(shown(move(small, "health", "down", true))).toEqual(["preview", "timeline", "chat", "health", "actions"]);
  expect(move(small, "health", "right", true)).toBe(small);
});

test("a box that is dropped stands where it was aimed, also in its own column", () => {
  expect(put(small, "chat", 0, 0).columns[0]).toEqual(["chat", "preview", "timeline"]);
  expect(put(small, "preview", 0, 2).columns[0]).toEqual(["timeline", "preview"]);
  expect(put(small, "preview", 0, 1).columns[0]).toEqual(["preview", "timeline"]);
  expect(put(small, "preview", 7, 0)).toBe(small);
});

test("sizes change in steps and stay within bounds", () => {
  let arrangement = small;
  for (let step = 0; step < 50; step++) arrangement = heighten(widen(arrangement, "chat", 1), "chat", 1);
  expect([arrangement.heights.chat, arrangement.widths]).toEqual([HEIGHTS.most, [5, 3, WIDTHS.most]]);
  for (let step = 0; step < 50; step++) arrangement = heighten(widen(arrangement, "chat", -1), "chat", -1);
  expect([arrangement.heights.chat, arrangement.widths[2]]).toEqual([HEIGHTS.least, WIDTHS.least]);
});

test("what is hidden comes back, and the last box stays", () => {
  const hidden = hide(small, "chat");
  expect(placeOf(hidden, "chat")).toBeNull();
  expect(placeInWords(hidden, "chat")).toBe("Chat is hidden");
  expect(placeOf(show(hidden, "chat"), "chat")).not.toBeNull();
  let arrangement = firstArrangement;
  for (const box of BOXES) arrangement = hide(arrangement, box);
  expect(shown(arrangement)).toHaveLength(1);
});

test("boxes of a column stand below each other without a hole or an overlap", () => {
  const rows = small.columns[2]!.map((box) => rowsOf(small, box)!);
  expect(rows[0]).toEqual({ column: 3, start: 1, span: small.heights.chat });
  expect(rows[1]!.start).toBe(1 + small.heights.chat);
  expect(rowsOf(small, "howto")).toBeNull();
});

test("no sequence of deeds loses a box or shows one twice", () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  let arrangement = firstArrangement;
  for (let step = 0; step < 2000; step++) {
    const box = BOXES[random(BOXES.length)]!;
    const deeds = [
      () => move(arrangement, box, (["up", "down", "left", "right"] as const)[random(4)]!, random(2) === 0),
      () => put(arrangement, box, random(COLUMNS), random(9)), () => hide(arrangement, box), () => show(arrangement, box),
    ];
    arrangement = deeds[random(deeds.length)]!();
    expect(whole(arrangement)).toEqual([...BOXES].sort());
  }
});

test("what was stored comes back the same", () => {
  const arrangement = heighten(hide(move(firstArrangement, "chat", "left"), "howto"), "chat", 2);
  expect(parseArrangement(JSON.stringify(arrangement))).toEqual(arrangement);
});

test.each([null, "", "{", "null", "7", "{}", '{"columns":[[],[]]}', '{"columns":["a","b","c"]}'])("nonsense in the store %j is the first arrangement", (stored) => {
  expect(parseArrangement(stored)).toEqual(firstArrangement);
});

test("unknown, repeated and missing boxes are mended, and so are sizes", () => {
  const mended = parseArrangement('{"columns":[["chat","chat","nonsense"],[null],["preview"]],"hidden":["chat","howto"],"heights":{"chat":1e9,"preview":"x"},"widths":[-1]}');
  expect(whole(mended)).toEqual([...BOXES].sort());
  expect(mended.hidden).toEqual(["howto"]);
  expect([mended.heights.chat, mended.heights.preview, mended.widths]).toEqual([HEIGHTS.most, firstArrangement.heights.preview, [WIDTHS.least, 3, 3]]);
});

test("every box has a title", () => {
  expect(Object.keys(BOX_TITLES).sort()).toEqual([...BOXES].sort());
});
