// @vitest-environment happy-dom
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import { COMMANDS } from "../realtime/events";
import { Composer } from "./Composer";

afterEach(cleanup);

const field = () => screen.getByTestId<HTMLTextAreaElement>("chat-input");

test("Enter sends the trimmed text and empties the field; Esc empties it unsent", async () => {
  const send = vi.fn(() => Promise.resolve());
  render(<Composer maxLength={500} disabled={false} onSend={send} />);
  await userEvent.type(field(), "  hello {Enter}");
  expect(send.mock.calls).toEqual([["hello"]]);
  expect(field().value).toBe("");
  await userEvent.type(field(), "never mind{Escape}");
  expect(field().value).toBe("");
  expect(send).toHaveBeenCalledTimes(1);
});

test.each([
  ["/delete Ada{Enter}", "/delete Ada", { Ada: "1" }],
  ["/delete @ada{Enter}", "/delete @ada", { Ada: "1" }],
  ["/delete Ad{Enter}{Enter}", "/delete @Ada", { Ada: "1" }],
  ["/delete Sam{Enter}{Enter}", "/delete @Sam", { Sam: "3" }],
])("%s sends %s: Enter takes a choice only when there is something left to choose", async (typed, sent, users) => {
  const run = vi.fn(() => Promise.resolve());
  const people = [{ id: "1", name: "Ada" }, { id: "2", name: "Adam" }, { id: "3", name: "Sam" }, { id: "4", name: "Sam" }];
  render(<Composer maxLength={500} disabled={false} onSend={vi.fn()} onCommand={run} known={{ emotes: [], people, commands: COMMANDS }} />);
  await userEvent.type(field(), typed);
  expect(run.mock.calls).toEqual([[sent, users]]);
});

test("a refused text stays with the reason, and the button counts the wait", async () => {
  const refusal = new ApiError(400, { code: "chat.too_fast", message: "Too fast.", details: { retry_after_ms: 60_000 } });
  const send = vi.fn(() => Promise.reject(refusal));
  render(<Composer maxLength={500} disabled={false} onSend={send} />);
  await userEvent.type(field(), "again{Enter}");
  await waitFor(() => expect(field().value).toBe("again"));
  expect(screen.getByRole("alert").textContent).toBe("Too fast.");
  expect(screen.getByTestId("chat-send").getAttribute("aria-label")).toMatch(/^Send in \d+ seconds$/);
  await userEvent.type(field(), "{Enter}");
  expect(send).toHaveBeenCalledTimes(1);
});

test("a text that is too long or empty is not sent", async () => {
  const send = vi.fn(() => Promise.resolve());
  render(<Composer maxLength={5} disabled={false} onSend={send} />);
  await userEvent.type(field(), "   {Enter}");
  await userEvent.type(field(), "123456{Enter}");
  expect(send).not.toHaveBeenCalled();
  expect(screen.getByText("Characters too many: 1")).toBeTruthy();
});
