// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import type { Chatters, User } from "../realtime/events";
import { peopleWords, withPage } from "./people";
import { PeoplePanel } from "./PeoplePanel";

afterEach(cleanup);

const user = (id: string, role: User["role"] = "viewer"): User => ({ id, name: `Name ${id}`, role });
const page = (users: User[], more: Partial<Chatters> = {}): Chatters => ({ ok: true, users, next: null, total: users.length, anonymous: 0, ...more });
const names = () => screen.getAllByTestId("person").map((one) => one.querySelector("b")?.textContent);

test("pages add up, and who comes twice stands where the newer page puts them", () => {
  const first = withPage(null, page([user("a"), user("b")], { next: "n", total: 3 }));
  const both = withPage(first, page([user("c"), user("a")], { total: 3, anonymous: 4 }));
  expect(both.users.map((one) => one.id)).toEqual(["b", "c", "a"]);
  expect(both).toMatchObject({ next: null, total: 3, anonymous: 4 });
});

test("counts are said as people say them", () => {
  const words = (total: number, anonymous: number) => peopleWords({ total, anonymous });
  expect([words(0, 0), words(0, 1), words(1, 0), words(2, 1), words(1200, 3400)]).toEqual([
    "Nobody yet", "1 guest", "1 person", "2 people and 1 guest", "1,200 people and 3,400 guests",
  ]);
});

test("the panel reads the first page, shows more when asked, and Esc goes back", async () => {
  const whoIsHere = vi.fn((after: string | null) =>
    Promise.resolve(after ? page([user("c")], { total: 3 }) : page([user("a", "creator"), user("b")], { next: "n", total: 3, anonymous: 2 })),
  );
  const close = vi.fn();
  render(<PeoplePanel whoIsHere={whoIsHere} myId="b" onClose={close} />);
  expect(screen.getByLabelText("Reading who is here")).toBeTruthy();
  expect(await screen.findByText("Creator")).toBeTruthy();
  expect(names()).toEqual(["Name a", "Name b (you)"]);
  expect(screen.getByTestId("people-count").textContent).toBe("3 people and 2 guests");
  await userEvent.click(screen.getByTestId("people-more"));
  expect(await screen.findByText("Name c")).toBeTruthy();
  expect(whoIsHere.mock.calls).toEqual([[null], ["n"]]);
  expect(screen.queryByTestId("people-more")).toBeNull();
  screen.getByTestId("people").focus();
  await userEvent.keyboard("{Escape}");
  expect(close).toHaveBeenCalledTimes(1);
});

test("a room of guests says so; a refusal stands with a button that tries again", async () => {
  const refusal = new ApiError(400, { code: "service.unavailable", message: "Try again in a moment.", details: {} });
  const whoIsHere = vi.fn().mockRejectedValueOnce(refusal).mockResolvedValue(page([], { anonymous: 7 }));
  render(<PeoplePanel whoIsHere={whoIsHere} myId={null} onClose={() => {}} />);
  expect((await screen.findByRole("alert")).textContent).toContain("Try again in a moment.");
  await userEvent.click(screen.getByText("Try again"));
  expect(await screen.findByTestId("people-empty")).toBeTruthy();
  expect(screen.getByTestId("people-count").textContent).toBe("7 guests");
});
