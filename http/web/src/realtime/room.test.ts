import { describe, expect, test } from "vitest";
import type { Entry, RoomJoined } from "./events";
import { idOf } from "./fold";
import { emptyRoom, KEPT_ENTRIES, plainSettings, reduceRoom, type Room } from "./room";

const ada = { id: "u1", name: "Ada", role: "viewer" as const };

const entry = (offset: number, id = `m${offset}`): Entry => ({
  stream_id: "s1", offset, kind: "message", id, user: ada, text: `line ${offset}`, at: offset,
});

const joinAnswer = (entries: Entry[], more: Partial<RoomJoined> = {}): RoomJoined => ({
  ok: true,
  epoch: "e1",
  offset: entries.at(-1)?.offset ?? 0,
  recovered: false,
  entries,
  stream: { id: "s1", title: "Morning", category: null, status: "live", creator: { id: "c1", display_name: "Cleo" } },
  viewers: 3,
  peak: 5,
  settings: plainSettings,
  me: { user: ada, may_chat: true, capabilities: [], restriction: null, warning: null, following_since: null },
  pin: null,
  poll: null,
  raid: null,
  on_top: [],
  ...more,
});

const joined = (entries: Entry[]): Room => reduceRoom(emptyRoom, { type: "joined", answer: joinAnswer(entries) });
const receive = (room: Room, ...offsets: number[]) => reduceRoom(room, { type: "entries", entries: offsets.map((o) => entry(o)) });
const offsets = (room: Room) => room.entries.map((one) => one.offset);

describe("joining", () => {
  test("a snapshot may begin anywhere in the log", () => {
    const room = joined([entry(41), entry(42)]);
    expect(offsets(room)).toEqual([41, 42]);
    expect(room).toMatchObject({ offset: 42, epoch: "e1", viewers: 3, loss: null, joined: true });
  });

  test("an empty room starts at the answer's offset, so that the next entry is no hole", () => {
    const room = reduceRoom(emptyRoom, { type: "joined", answer: joinAnswer([], { offset: 7 }) });
    expect(offsets(receive(room, 8))).toEqual([8]);
  });

  test("a recovered join adds what was missed and nothing twice", () => {
    const room = reduceRoom(joined([entry(1), entry(2)]), {
      type: "joined", answer: joinAnswer([entry(2), entry(3), entry(4)], { recovered: true }),
    });
    expect(offsets(room)).toEqual([1, 2, 3, 4]);
  });

  test("a join that could not recover throws away what may have been removed meanwhile, and marks the gap", () => {
    const room = reduceRoom(joined([entry(1), entry(2)]), { type: "joined", answer: joinAnswer([entry(90), entry(91)]) });
    expect(offsets(room)).toEqual([90, 91]);
    expect(room).toMatchObject({ loss: null, gaps: [2], dropped: 2, offset: 91 });
    expect(offsets(receive(room, 92))).toEqual([90, 91, 92]);
  });

  test("who was away when the log was lost keeps nothing of it either", () => {
    const away = reduceRoom(joined([entry(1), entry(2)]), { type: "disconnected" });
    const room = reduceRoom(away, { type: "joined", answer: joinAnswer([entry(1, "new")], { epoch: "e2" }) });
    expect(room.entries.map(idOf)).toEqual(["new"]);
    expect(room.gaps).toEqual([2]);
  });

  test("a snapshot that begins where we are leaves no gap", () => {
    const room = reduceRoom(joined([entry(1), entry(2)]), { type: "joined", answer: joinAnswer([entry(2), entry(3)]) });
    expect(offsets(room)).toEqual([1, 2, 3]);
    expect(room.gaps).toEqual([]);
  });

  test("a recovery that names another epoch is a snapshot", () => {
    const room = reduceRoom(joined([entry(1)]), { type: "joined", answer: joinAnswer([entry(1, "other")], { recovered: true, epoch: "e2" }) });
    expect(room.entries.map(idOf)).toEqual(["m1", "other"]);
    expect(room.gaps).toEqual([1]);
  });

  test("a message that was sent again into the new log keeps its one line", () => {
    const room = reduceRoom(joined([entry(1), entry(2)]), { type: "joined", answer: joinAnswer([entry(1, "m2"), entry(2, "new")], { epoch: "e2" }) });
    expect(room.entries.map(idOf)).toEqual(["m1", "m2", "new"]);
    expect(room.offset).toBe(2);
  });

  test("who had nothing misses nothing", () => {
    const room = reduceRoom(joined([]), { type: "joined", answer: joinAnswer([entry(5)], { epoch: "e2" }) });
    expect(room.gaps).toEqual([]);
  });
});

describe("entries", () => {
  test("repeats are ignored, also inside one frame", () => {
    expect(offsets(receive(joined([entry(1), entry(2)]), 1, 2, 3, 3))).toEqual([1, 2, 3]);
  });

  test("a hole stops the list at the hole until a new join fills it", () => {
    const holed = receive(joined([entry(1)]), 2, 4, 5);
    expect(offsets(holed)).toEqual([1, 2]);
    expect(holed).toMatchObject({ loss: { why: "hole" }, offset: 2 });
    expect(offsets(receive(holed, 6))).toEqual([1, 2]);
    const healed = reduceRoom(holed, { type: "joined", answer: joinAnswer([entry(3), entry(4), entry(5)], { recovered: true }) });
    expect(offsets(healed)).toEqual([1, 2, 3, 4, 5]);
    expect(healed.loss).toBe(null);
  });

  test("what came while the hole was being mended is not lost with it", () => {
    const holed = receive(receive(joined([entry(1)]), 3), 4, 5);
    const healed = reduceRoom(holed, { type: "joined", answer: joinAnswer([entry(2), entry(3)], { recovered: true }) });
    expect(offsets(healed)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a hole that an answer leaves open asks for another join", () => {
    const holed = receive(joined([entry(1)]), 3, 6);
    const still = reduceRoom(holed, { type: "joined", answer: joinAnswer([entry(2), entry(3)], { recovered: true }), asked: holed.loss });
    expect(offsets(still)).toEqual([1, 2, 3]);
    expect(still.loss).not.toBe(null);
    expect(still.loss).not.toBe(holed.loss);
  });

  test("nothing is shown before the join is answered", () => {
    expect(receive(emptyRoom, 1).entries).toEqual([]);
  });

  test("old lines leave and are counted", () => {
    const room = receive(joined([]), ...Array.from({ length: KEPT_ENTRIES + 20 }, (_, index) => index + 1));
    expect(room.entries).toHaveLength(KEPT_ENTRIES);
    expect(room.dropped).toBe(20);
    expect(room.entries[0]?.offset).toBe(21);
  });

  test("a kind this client does not know moves the offset and shows nothing", () => {
    const room = reduceRoom(joined([entry(1)]), { type: "entries", entries: [{ ...entry(2), kind: "confetti" } as unknown as Entry] });
    expect(offsets(room)).toEqual([1]);
    expect(room.offset).toBe(2);
  });

  test.each(["reset", "lagged"] as const)("%s asks for a join with the position there is", (type) => {
    const room = reduceRoom(joined([entry(1)]), { type });
    expect(room).toMatchObject({ loss: { why: type }, epoch: "e1", offset: 1 });
  });

  test("a loss that was told while a join was on its way is not mended by that join", () => {
    const before = joined([entry(1)]);
    const lagged = reduceRoom(before, { type: "lagged" });
    const answered = reduceRoom(lagged, { type: "joined", answer: joinAnswer([], { recovered: true, offset: 1 }), asked: before.loss });
    expect(answered.loss).toEqual({ why: "lagged" });
    expect(answered.loss).not.toBe(lagged.loss);
    const again = reduceRoom(answered, { type: "joined", answer: joinAnswer([entry(2)], { recovered: true }), asked: answered.loss });
    expect(again.loss).toBe(null);
  });
});

describe("own messages", () => {
  const sending = (room: Room) => reduceRoom(room, { type: "sending", message: { id: "mine", text: "hi", user: ada, at: 1 } });

  test("a message is pending until its entry arrives", () => {
    const room = sending(joined([entry(1)]));
    expect(room.pending).toHaveLength(1);
    const arrived = reduceRoom(room, { type: "entries", entries: [entry(2, "mine")] });
    expect(arrived.pending).toEqual([]);
    expect(arrived.entries.map(idOf).at(-1)).toBe("mine");
  });

  test("an acknowledgement after the entry changes nothing", () => {
    const room = reduceRoom(sending(joined([])), { type: "entries", entries: [entry(1, "mine")] });
    expect(reduceRoom(room, { type: "acked", id: "mine" }).pending).toEqual([]);
  });

  test("sending again under the same id keeps one line", () => {
    const failed = reduceRoom(sending(joined([])), { type: "failed", id: "mine", reason: "no answer" });
    expect(failed.pending[0]).toMatchObject({ state: "failed", reason: "no answer" });
    expect(sending(failed).pending).toHaveLength(1);
  });
});

test("a status changes what it names and keeps the rest", () => {
  const room = reduceRoom(joined([]), { type: "status", status: { stream_id: "s1", status: "interrupted", at: 1, title: "Morning", category: null, reason: "encoder" } });
  expect(room.stream).toMatchObject({ status: "interrupted", title: "Morning" });
  expect(room.reason).toBe("encoder");
});
