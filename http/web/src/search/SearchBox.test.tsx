// @vitest-environment happy-dom
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, useLocation } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SearchBox } from "./SearchBox";

const KNOWN = [{ text: "Sea kayaking", video_id: "v1" }, { text: "sea shanties", video_id: null }];
let asked: string[] = [];
let answer: () => Response;

beforeEach(() => {
  asked = [];
  answer = () => Response.json({ suggestions: KNOWN });
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(new URL(url, "http://here").searchParams.get("q") ?? "");
    return Promise.resolve(answer());
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function Address() {
  const { pathname, search } = useLocation();
  return <p data-testid="address">{pathname + search}</p>;
}

const show = (at = "/") => render(<MemoryRouter initialEntries={[at]}><SearchBox /><Address /><textarea aria-label="Elsewhere" /></MemoryRouter>);
const field = () => screen.getByTestId<HTMLInputElement>("search-input");
const address = () => screen.getByTestId("address").textContent;
const chosen = () => document.getElementById(field().getAttribute("aria-activedescendant") ?? "")?.textContent ?? null;
const listed = () => waitFor(() => expect(field().getAttribute("aria-expanded")).toBe("true"));

test("typing quickly asks once, and what is offered is told", async () => {
  show();
  await userEvent.type(field(), "sea");
  await listed();
  expect(asked).toEqual(["sea"]);
  expect(screen.getAllByRole("option")).toHaveLength(2);
  expect(screen.getByText("2 suggestions").getAttribute("role")).toBe("status");
});

test("arrows go round through the suggestions and what was typed; Enter on a video opens it", async () => {
  show();
  await userEvent.type(field(), "sea");
  await listed();
  expect(chosen()).toBeNull();
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(chosen()).toBe("sea shanties");
  await userEvent.keyboard("{ArrowDown}");
  expect(chosen()).toBeNull();
  await userEvent.keyboard("{ArrowUp}{ArrowUp}{Enter}");
  expect(address()).toBe("/video/v1");
  expect(field().value).toBe("");
});

test("Enter without a choice, and a press on words without a video, search for them", async () => {
  show();
  await userEvent.type(field(), "  salt & sea {Enter}");
  expect(address()).toBe("/search?q=salt%20%26%20sea");
  await userEvent.clear(field());
  await userEvent.type(field(), "sea");
  await listed();
  await userEvent.click(screen.getByText("sea shanties"));
  expect(address()).toBe("/search?q=sea%20shanties");
  expect(field().value).toBe("sea shanties");
});

test("Esc closes the suggestions and keeps the words; an arrow brings them back", async () => {
  show();
  await userEvent.type(field(), "sea");
  await listed();
  await userEvent.keyboard("{Escape}");
  expect(field().getAttribute("aria-expanded")).toBe("false");
  expect(field().value).toBe("sea");
  expect(document.activeElement).toBe(field());
  await userEvent.keyboard("{ArrowDown}");
  await listed();
});

test("while search is away the field still leads to its page", async () => {
  answer = () => Response.json({ error: { code: "service.search", message: "Away." } }, { status: 503 });
  show();
  await userEvent.type(field(), "sea");
  await waitFor(() => expect(asked).toEqual(["sea"]));
  expect(field().getAttribute("aria-expanded")).toBe("false");
  await userEvent.keyboard("{Enter}");
  expect(address()).toBe("/search?q=sea");
});

test("a slash goes to the field from anywhere but another field", async () => {
  show("/search?q=sea");
  expect(field().value).toBe("sea");
  await userEvent.type(screen.getByLabelText("Elsewhere"), "a/b");
  expect(screen.getByLabelText<HTMLTextAreaElement>("Elsewhere").value).toBe("a/b");
  screen.getByLabelText("Elsewhere").blur();
  await userEvent.keyboard("/");
  expect(document.activeElement).toBe(field());
  expect(field().value).toBe("sea");
});
