// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test, vi } from "vitest";
import { AddChannel } from "./AddChannel";
import { DeskList } from "./DeskList";

const answer = vi.hoisted(() => ({ channels: [] as unknown[] }));
vi.mock("../api/channels", async (original) => ({ ...(await original<object>()), fetchModerated: () => Promise.resolve(answer) }));
afterEach(cleanup);

const CHANNELS = [{ id: "a", display_name: "Ada", role: "creator", live_stream_id: null }, { id: "b", display_name: "Ben", role: "moderator", live_stream_id: "s" }];

test("each channel one moderates links to its desk", async () => {
  answer.channels = CHANNELS;
  render(<MemoryRouter><DeskList /></MemoryRouter>);
  expect((await screen.findByRole("link", { name: "Ben" })).getAttribute("href")).toBe("/mod/b");
  expect(screen.getByRole("link", { name: "Ada" })).toBeTruthy();
});

test("who moderates nothing is told so", async () => {
  answer.channels = [];
  render(<MemoryRouter><DeskList /></MemoryRouter>);
  expect(await screen.findByTestId("desks-empty")).toBeTruthy();
});

test("one click adds a channel that is not on the desk yet", async () => {
  answer.channels = CHANNELS;
  const onAdd = vi.fn();
  render(<AddChannel first="a" shown={["a"]} full={false} onAdd={onAdd} />);
  await userEvent.click(screen.getByTestId("add-channel"));
  await userEvent.click(await screen.findByRole("button", { name: "Ben (live)" }));
  expect(onAdd).toHaveBeenCalledWith("b");
  expect(screen.queryByRole("button", { name: "Ada" })).toBeNull();
});
