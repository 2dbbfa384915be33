import { expect, test } from "vitest";
import { addChannel, arrangeChannel, columnsOf, firstLayout, MAX_WIDTH, MIN_WIDTH, moveColumn, parseLayout, removeChannel, resizeColumn, showColumn, type DeskLayout } from "./layout";

const shown = (layout: DeskLayout) => layout.columns.filter((column) => column.shown).map((column) => column.name).join(" ");

test("columns move among those that are shown", () => {
  const hidden = showColumn(firstLayout, "held", false);
  expect(shown(moveColumn(hidden, "chat", 1))).toBe("log chat card");
  expect(moveColumn(firstLayout, "chat", -1)).toBe(firstLayout);
});

test("the last column cannot be hidden", () => {
  const one = ["held", "log", "card"].reduce((layout, name) => showColumn(layout, name as "held", false), firstLayout);
  expect(shown(showColumn(one, "chat", false))).toBe("chat");
});

test("a width stays within its bounds", () => {
  const width = (wanted: number) => resizeColumn(firstLayout, "log", wanted).columns.find((column) => column.name === "log")?.width;
  expect([width(10), width(300.4), width(5000)]).toEqual([MIN_WIDTH, 300, MAX_WIDTH]);
});

test("four channels fit, each once", () => {
  const full = ["b", "c", "d", "e", "b"].reduce((layout, id) => addChannel(layout, "a", id), firstLayout);
  expect(full.beside).toEqual(["b", "c", "d"]);
  expect(addChannel(firstLayout, "a", "a").beside).toEqual([]);
  expect(removeChannel(full, "c").beside).toEqual(["b", "d"]);
});

test("what was stored comes back; what makes no sense does not", () => {
  const mine = moveColumn(resizeColumn(addChannel(firstLayout, "a", "b"), "card", 500), "log", -1);
  expect(parseLayout(JSON.stringify(mine))).toEqual(mine);
  for (const bad of [null, "", "{", "null", "[]", '{"columns":3}', '{"columns":[null,{"name":"x"}],"beside":[1]}']) {
    expect(shown(parseLayout(bad))).toBe(shown(firstLayout));
  }
  expect(parseLayout('{"columns":[{"name":"log","shown":true,"width":300}]}').columns.map((column) => column.name)).toEqual(["log", "chat", "held", "card", "settings"]);
});

test("each channel has columns of its own once they are arranged, and keeps them", () => {
  const two = addChannel(firstLayout, "a", "b");
  const mine = arrangeChannel(two, "b", (layout) => showColumn(layout, "log", false));
  expect(columnsOf(mine, "b").filter((column) => column.shown).map((column) => column.name)).toEqual(["chat", "held", "card"]);
  expect(shown(mine)).toBe("chat held log card");
  expect(arrangeChannel(two, "b", (layout) => layout)).toBe(two);
  expect(parseLayout(JSON.stringify(mine))).toEqual(mine);
});
