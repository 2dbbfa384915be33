// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BOXES, firstArrangement, type Box } from "./arrange";
import { Boxes } from "./Boxes";

const contents = Object.fromEntries(BOXES.map((box) => [box, <p key={box}>{box} content</p>])) as Record<Box, React.ReactNode>;
const order = () => Array.from(document.querySelectorAll<HTMLElement>("[data-box]"), (box) => box.dataset["box"]);
const first = firstArrangement.columns.flat();

beforeEach(() => localStorage.clear());
afterEach(cleanup);

test("nothing can be moved until it is asked for", () => {
  render(<Boxes boxes={contents} arranging={false} onDone={() => {}} />);
  expect(order()).toEqual(first);
  expect(screen.queryByTestId("handle-chat")).toBeNull();
});

test("a box moves by arrow keys, says where it is, and keeps the focus; the next visit finds it there", async () => {
  render(<Boxes boxes={contents} arranging onDone={() => {}} />);
  screen.getByTestId("handle-preview").focus();
  await userEvent.keyboard("{ArrowDown}");
  expect(order().slice(0, 2)).toEqual(["timeline", "preview"]);
  expect(screen.getByTestId("arrange-said").textContent).toBe("Preview: column 1 of 3, place 2 of 2");
  await new Promise(requestAnimationFrame);
  expect(document.activeElement).toBe(screen.getByTestId("handle-preview"));
  cleanup();
  render(<Boxes boxes={contents} arranging={false} onDone={() => {}} />);
  expect(order().slice(0, 2)).toEqual(["timeline", "preview"]);
});

test("a box moves by its buttons, is hidden, shown again, and all of it is undone", async () => {
  render(<Boxes boxes={contents} arranging onDone={() => {}} />);
  await userEvent.click(screen.getByTestId("hide-howto"));
  expect(order()).not.toContain("howto");
  await userEvent.click(screen.getByTestId("show-howto"));
  expect(order()).toContain("howto");
  await userEvent.click(screen.getByTestId("down-preview"));
  await userEvent.click(screen.getByTestId("arrange-reset"));
  expect(order()).toEqual(first);
});

test("at the edge it says so and nothing changes", async () => {
  render(<Boxes boxes={contents} arranging onDone={() => {}} />);
  screen.getByTestId("handle-preview").focus();
  await userEvent.keyboard("{ArrowLeft}");
  expect(screen.getByTestId("arrange-said").textContent).toBe("Preview cannot go further");
  expect(order()).toEqual(first);
});

test("while boxes are moved their contents cannot be pressed by accident", () => {
  render(<Boxes boxes={contents} arranging onDone={() => {}} />);
  expect(document.querySelectorAll(".box-inside[inert]")).toHaveLength(BOXES.length);
});
