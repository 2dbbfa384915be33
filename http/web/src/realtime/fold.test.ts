/**
 * Snapshot + entries = fresh snapshot, and no removed text anywhere, whatever is said, removed and brought back.
 *
 * A small world with a seed of its own for each case: a log as the server keeps it (a removed line is given out as a
 * tombstone), readers that came at different times, heard in frames of different sizes, and were away now and then.
 */
import { describe, expect, test } from "vitest";
import type { Announcement, Entry, Message, Moderation, RoomJoined, User } from "./events";
import { idOf, isSaid } from "./fold";
import { emptyRoom, KEPT_ENTRIES, KEPT_WHILE_HELD, plainSettings, reduceRoom, type Room } from "./room";

const CASES = 150;
const STEPS = 80;
const USERS: User[] = ["a", "b", "c", "d"].map((id) => ({ id, name: id.toUpperCase(), role: "viewer" }));

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed: number) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const me = { user: USERS[0]!, may_chat: true, capabilities: [], restriction: null, warning: null, following_since: null };

/** The log, as `realtime/room/redaction.py` gives it out. */
class Log {
  readonly entries: Entry[] = [];
  private settings = plainSettings;
  private pin: RoomJoined["pin"] = null;

  constructor(private readonly random: () => number) {}

  private pick = <Item>(items: readonly Item[]): Item => items[Math.floor(this.random() * items.length)]!;
  private head = () => ({ offset: this.entries.length + 1, stream_id: "s1", id: `i${this.entries.length + 1}`, at: this.entries.length });

  grow(): void {
    const luck = this.random();
    const said = this.entries.filter((entry): entry is Message => entry.kind === "message");
    if (luck < 0.6 || said.length === 0) this.add(this.message());
    else if (luck < 0.7) this.add(this.removal({ action: "delete", target: this.pick(said).user, message_id: this.pick(said).id }));
    else if (luck < 0.8) this.add(this.removal({ action: this.pick(["timeout", "ban"]), target: this.pick(USERS) }));
    else if (luck < 0.82) this.add(this.removal({ action: "clear" }));
    else if (luck < 0.9) this.restore(said);
    else if (luck < 0.94) this.set({ ...this.settings, slow_seconds: Math.floor(this.random() * 120) });
    else if (luck < 0.97) this.setPin(this.pick(said));
    else this.add({ ...this.head(), kind: "confetti" } as unknown as Entry);
  }

  private message(): Entry {
    const user = this.pick(USERS);
    const text = `said ${this.entries.length + 1}`;
    if (this.random() < 0.1) return { ...this.head(), kind: "announcement", user, text, tint: "blue" };
    return { ...this.head(), kind: "message", user, text };
  }

  private removal(what: Pick<Moderation, "action" | "target" | "message_id">): Moderation {
    return { ...this.head(), kind: "moderation", ...what };
  }

  private restore(said: Message[]): void {
    const removed = said.filter((message) => this.removed(message));
    if (removed.length) this.add({ ...this.head(), kind: "restored", message: this.pick(removed) });
  }

  private set(settings: typeof plainSettings): void {
    this.settings = settings;
    this.add({ ...this.head(), kind: "settings", settings });
  }

  private setPin(message: Message): void {
    if (this.removed(message)) return;
    this.pin = { message_id: message.id, user: message.user, text: message.text, until: 1 };
    this.add({ ...this.head(), kind: "pin", pin: this.pin });
  }

  private add(entry: Entry): void {
    this.entries.push(entry);
    if (this.pin && covers(entry, { user: this.pin.user, id: this.pin.message_id })) this.pin = null;
  }

  private removed(said: { offset: number; user: User; id: string }): boolean {
    return this.entries.some((entry) => entry.kind !== "removed" && entry.offset > said.offset && covers(entry, said));
  }

  given(from: number): Entry[] {
    return this.entries.slice(from).map((entry) => {
      const said = entry.kind === "restored" ? { ...entry.message, offset: entry.offset } : isSpoken(entry) ? entry : null;
      return said && this.removed(said) ? { kind: "removed", offset: entry.offset, stream_id: "s1" } : entry;
    });
  }

  answer(position: number | null, newest = 20): RoomJoined {
    const from = position ?? Math.max(0, this.entries.length - newest);
    return {
      ok: true, epoch: "e1", offset: this.entries.length, recovered: position !== null, entries: this.given(from), viewers: 1, peak: 1,
      stream: { id: "s1", title: "", category: null, status: "live", creator: { id: "z", display_name: "Z" } },
      settings: this.settings, me, pin: this.pin, poll: null, raid: null, on_top: [],
    };
  }

  /** What has to be on the screen, by the rules and not by folding. */
  visible(from: number) {
    const back = this.entries.flatMap((entry) => (entry.kind === "restored" && !this.removed({ ...entry.message, offset: entry.offset }) ? [entry.message.id] : []));
    const said = this.entries.filter(isSpoken).filter((entry) => entry.offset >= from);
    return said.filter((entry) => !this.removed(entry) || back.includes(entry.id)).map((entry) => [entry.offset, entry.id, entry.text]);
  }

  /** What must not be on any screen: texts of which no place is left. */
  get removedTexts(): string[] {
    const there = new Set<string>();
    const gone = new Set<string>();
    for (const entry of this.entries) {
      const message = entry.kind === "restored" ? entry.message : isSpoken(entry) ? entry : null;
      if (message) (this.removed({ ...message, offset: entry.offset }) ? gone : there).add(message.text);
    }
    return [...gone].filter((text) => !there.has(text));
  }
}

const isSpoken = (entry: Entry): entry is Message | Announcement => entry.kind === "message" || entry.kind === "announcement";

function covers(entry: Entry, said: { user: User; id: string }): boolean {
  if (entry.kind !== "moderation") return false;
  if (entry.action === "clear") return true;
  if (entry.target?.id !== said.user.id) return false;
  return entry.action === "timeout" || entry.action === "ban" || (entry.action === "delete" && entry.message_id === said.id);
}

const join = (room: Room, answer: RoomJoined) => reduceRoom(room, { type: "joined", answer });
const visible = (room: Room, from: number) => room.entries.filter(isSaid).filter((line) => line.offset >= from).map((line) => [line.offset, line.id, line.text]);

function play(seed: number) {
  const random = randomOf(seed);
  const log = new Log(random);
  const readers: Room[] = [];
  const position = (room: Room) => room.offset;
  for (let step = 0; step < STEPS; step += 1) {
    log.grow();
    if (random() < 0.05) readers.push(join(emptyRoom, log.answer(null)));
    readers.forEach((room, index) => {
      if (random() < 0.1) readers[index] = reduceRoom(room, { type: "disconnected" });
      else if (!room.joined && random() < 0.5) readers[index] = join(room, log.answer(position(room)));
      else if (!room.joined && random() < 0.3) readers[index] = join(room, log.answer(null));
      else if (random() < 0.6) readers[index] = reduceRoom(room, { type: "entries", entries: log.given(position(room)) });
    });
  }
  return { log, readers: readers.map((room) => join(room, log.answer(position(room)))) };
}

test("snapshot + entries = fresh snapshot, and nothing removed is in either", () => {
  let compared = 0;
  let removed = 0;
  for (let seed = 1; seed <= CASES; seed += 1) {
    const { log, readers } = play(seed);
    const fresh = join(emptyRoom, log.answer(null));
    const from = log.entries.length - 19;
    expect(visible(fresh, from), `seed ${seed}`).toEqual(log.visible(from));
    for (const room of readers) {
      expect(visible(room, from), `seed ${seed}`).toEqual(visible(fresh, from));
      expect(room.settings, `seed ${seed}`).toEqual(fresh.settings);
      expect(room.pin, `seed ${seed}`).toEqual(fresh.pin);
      const everything = JSON.stringify(room);
      for (const text of log.removedTexts) expect(everything, `seed ${seed}`).not.toContain(`"${text}"`);
      compared += visible(room, from).length;
      removed += room.entries.filter((line) => line.kind === "removed").length;
    }
  }
  expect(compared).toBeGreaterThan(CASES * 5);
  expect(removed).toBeGreaterThan(CASES);
});

const ada = USERS[0]!;
const bob = USERS[1]!;
const said = (offset: number, user = ada): Message => ({ kind: "message", offset, stream_id: "s1", id: `m${offset}`, at: offset, user, text: `line ${offset}` });
const control = <Part extends object>(offset: number, part: Part) => ({ offset, stream_id: "s1", id: `c${offset}`, at: offset, ...part }) as unknown as Entry;
const snapshot = (entries: Entry[]): RoomJoined => ({ ...new Log(() => 0).answer(null), entries, offset: entries.at(-1)?.offset ?? 0 });
const room = (entries: Entry[], from: Room = emptyRoom) => join(from, snapshot(entries));
const hear = (before: Room, ...entries: Entry[]) => reduceRoom(before, { type: "entries", entries });
const deleted = (offset: number, of: Message) => control(offset, { kind: "moderation", action: "delete", target: of.user, message_id: of.id });

describe("removals", () => {
  test("a ban takes all of one user and nothing of others, a line keeps its place", () => {
    const after = hear(room([said(1), said(2, bob), said(3)]), control(4, { kind: "moderation", action: "ban", target: ada }));
    expect(after.entries.map((line) => [line.offset, line.kind])).toEqual([[1, "removed"], [2, "message"], [3, "removed"]]);
    expect(hear(after, said(5)).entries.at(-1)).toMatchObject({ kind: "message", offset: 5 });
  });

  test("a clear empties everything and says so", () => {
    const after = hear(room([said(1), said(2, bob)]), control(3, { kind: "moderation", action: "clear" }));
    expect(after.entries.map((line) => line.kind)).toEqual(["removed", "removed", "moderation"]);
  });

  test("moderators at their desk keep what they saw, others nothing", () => {
    const desk = hear(room([said(1)], { ...emptyRoom, keepRemoved: true }), deleted(2, said(1)));
    expect(desk.entries[0]).toMatchObject({ kind: "removed", was: { text: "line 1" }, by: { action: "delete" } });
    expect(JSON.stringify(hear(room([said(1)]), deleted(2, said(1))))).not.toContain("line 1");
  });

  test("a restored message is back in its old place, and can be removed again", () => {
    const back = hear(room([said(1), said(2)]), deleted(3, said(1)), control(4, { kind: "restored", message: said(1) }));
    expect(back.entries.map(idOf)).toEqual(["m1", "m2"]);
    expect(hear(back, deleted(5, said(1))).entries.map(idOf)).toEqual([null, "m2"]);
  });

  test("what is restored of a log that was lost does not take the place of something else", () => {
    const old = room([said(1), said(2)]);
    const next = join(old, { ...snapshot([said(7)]), epoch: "e2" });
    const after = hear(next, control(8, { kind: "restored", message: { ...said(2), text: "other" } }));
    expect(after.entries.map((line) => isSaid(line) && line.text)).toEqual(["line 1", "line 2", "line 7"]);
  });

  test("the pinned message goes with its removal", () => {
    const pinned = hear(room([said(1)]), control(2, { kind: "pin", pin: { message_id: "m1", user: ada, text: "line 1", until: 9 } }));
    expect(hear(pinned, deleted(3, said(1))).pin).toBe(null);
    expect(hear(pinned, deleted(3, said(1, bob))).pin).not.toBe(null);
  });

  test("in a delayed chat the hint takes a message away at once, and its entry changes nothing more", () => {
    const before = room([said(1), said(2, bob)]);
    const early = reduceRoom(before, { type: "removed", removed: { stream_id: "s1", user_id: ada.id, message_id: null } });
    expect(early.entries.map((line) => line.kind)).toEqual(["removed", "message"]);
    const after = hear(early, control(3, { kind: "moderation", action: "ban", target: ada }));
    expect(after.entries.map((line) => line.kind)).toEqual(["removed", "message"]);
    expect(after.offset).toBe(3);
  });
});

describe("the state of the room", () => {
  test("settings, polls and raids follow their entries", () => {
    const poll = { id: "p", question: "?", choices: ["a", "b"], votes: [0, 0], state: "open", closes_at: 9 } as const;
    const raid = { channel_id: "x", name: "X", stream_id: "s2", viewers: 3, departs_at: 9, spread_ms: 10, state: "preparing" } as const;
    const after = hear(room([]), control(1, { kind: "settings", settings: { ...plainSettings, slow_seconds: 5 } }), control(2, { kind: "poll", poll }), control(3, { kind: "raid", raid }));
    expect(after).toMatchObject({ settings: { slow_seconds: 5 }, poll: { id: "p" }, raid: { state: "preparing" }, entries: [] });
    expect(reduceRoom(after, { type: "votes", votes: { stream_id: "s1", poll_id: "p", votes: [2, 1] } }).poll?.votes).toEqual([2, 1]);
    expect(reduceRoom(after, { type: "votes", votes: { stream_id: "s1", poll_id: "old", votes: [9, 9] } }).poll?.votes).toEqual([0, 0]);
    expect(hear(after, control(4, { kind: "raid", raid: { ...raid, state: "cancelled" } })).raid).toBe(null);
    expect(hear(after, control(4, { kind: "raid", raid: { ...raid, state: "arrived" } })).entries).toHaveLength(1);
  });

  test("one's own role follows its entry; of others only what they say next", () => {
    expect(hear(room([]), control(1, { kind: "role", target: ada, role: "moderator" })).me?.user?.role).toBe("moderator");
    expect(hear(room([]), control(1, { kind: "role", target: bob, role: "vip" })).me?.user?.role).toBe("viewer");
  });

  test("what one may do here follows room:you", () => {
    const you = { stream_id: "s1", role: "vip" as const, capabilities: ["chat"], restriction: { kind: "timeout" as const, until: 5, reason: "" }, warning: null, following_since: 4 };
    expect(reduceRoom(room([]), { type: "you", you }).me).toMatchObject({ user: { role: "vip" }, capabilities: ["chat"], restriction: { until: 5 }, following_since: 4 });
  });

  test("reactions count how often there were some", () => {
    const once = reduceRoom(room([]), { type: "reactions", reactions: { stream_id: "s1", counts: { heart: 3 } } });
    expect(once.reactions).toEqual({ number: 1, counts: { heart: 3 } });
  });

  test("a message that is held waits beside the list until it is decided", () => {
    const sending = reduceRoom(room([]), { type: "sending", message: { id: "mine", text: "hi", user: ada, at: 1 } });
    const held = reduceRoom(sending, { type: "acked", id: "mine", held: true });
    expect(held.pending[0]?.state).toBe("held");
    const denied = reduceRoom(held, { type: "held", held: { stream_id: "s1", id: "mine", status: "denied", reason: "rude" } });
    expect(denied.pending[0]).toMatchObject({ state: "denied", reason: "rude" });
    expect(reduceRoom(denied, { type: "acked", id: "mine", held: true }).pending[0]?.state).toBe("denied");
    expect(hear(held, { ...said(1), id: "mine" }).pending).toEqual([]);
  });

  test("more lines stay while somebody reads further up", () => {
    const many = Array.from({ length: KEPT_ENTRIES + 500 }, (_, index) => said(index + 1));
    const held = reduceRoom(room([]), { type: "hold", on: true });
    const full = hear(held, ...many);
    expect(full.entries).toHaveLength(KEPT_ENTRIES + 500);
    expect(KEPT_WHILE_HELD).toBeGreaterThan(KEPT_ENTRIES + 500);
    expect(reduceRoom(full, { type: "hold", on: false })).toMatchObject({ dropped: 500, entries: { length: KEPT_ENTRIES } });
  });
});
