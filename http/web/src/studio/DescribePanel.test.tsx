// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import * as calls from "../api/calls";
import { ApiError } from "../api/errors";
import type { Stream } from "../api/types";
import { DescribePanel } from "./DescribePanel";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const stream: Stream = {
  id: "s", title: "Morning", category: null, latency: "low", status: "live", creator: { id: "c", display_name: "Ada" },
  viewers: 0, peak_viewers: 0, created_at: "2030-05-01T12:00:00Z", started_at: null, ended_at: null,
};
const panel = (known = { title: "Morning", category: null as string | null }) => <DescribePanel stream={stream} known={known} onChanged={() => {}} />;
const title = () => screen.getByTestId("described-title").textContent;
const rename = async (to: string) => {
  await userEvent.click(screen.getByTestId("describe-edit"));
  await userEvent.clear(screen.getByTestId("describe-title"));
  if (to) await userEvent.type(screen.getByTestId("describe-title"), to);
  await userEvent.keyboard("{Enter}");
};

test("a new title shows at once and stays when the room says the same", async () => {
  const answers: ((stream: Stream) => void)[] = [];
  const asked = vi.spyOn(calls, "describeStream").mockReturnValue(new Promise((answer) => answers.push(answer)));
  const { rerender } = render(panel());
  await rename(" Noon ");
  expect(title()).toBe("Noon");
  expect(asked).toHaveBeenCalledWith("s", { title: "Noon", category: null });
  answers[0]!({ ...stream, title: "Noon" });
  rerender(panel({ title: "Noon", category: null }));
  expect(title()).toBe("Noon");
  rerender(panel({ title: "Changed elsewhere", category: null }));
  expect(title()).toBe("Changed elsewhere");
});

test("a refused title is taken back, and what was typed is still in the field", async () => {
  vi.spyOn(calls, "describeStream").mockRejectedValue(new ApiError(400, { code: "request.invalid", message: "No.", details: { fields: { title: "must not contain control characters" } } }));
  render(panel());
  await rename("Noon");
  expect(await screen.findByText("Must not contain control characters")).toBeTruthy();
  expect((screen.getByTestId("describe-title") as HTMLInputElement).value).toBe("Noon");
  await userEvent.keyboard("{Escape}");
  expect(title()).toBe("Morning");
});

test("an empty title is not asked for", async () => {
  const asked = vi.spyOn(calls, "describeStream");
  render(panel());
  await rename("");
  expect(await screen.findByText("Say in a few words what people see.")).toBeTruthy();
  expect(asked).not.toHaveBeenCalled();
});
