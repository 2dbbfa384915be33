/**
 * Whatever is lost, doubled or late on the way, after the recovery the list is the log.
 *
 * A small world with a seed of its own for each case: a server with a log, a connection that misbehaves, and the reducer
 * driven as `useRoom` drives it. A server answers a join from the log of that moment; the answer arrives later.
 */
import { expect, test } from "vitest";
import type { Message, RoomJoined } from "./events";
import { idOf } from "./fold";
import { emptyRoom, plainSettings, reduceRoom, type Loss, type Room, type RoomAction } from "./room";

const CASES = 400;
const STEPS = 60;
const NEWEST = 3;

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

class World {
  room: Room = emptyRoom;
  joins = 0;
  private epoch = 1;
  private log: Message[] = [];
  private readonly everything: Message[] = [];
  private late: Message[][] = [];
  private answer: { answer: RoomJoined; asked: Loss | null } | null = null;
  private asked: Loss | null = null;

  constructor(private readonly random: () => number, private readonly kept: number) {}

  get said(): string[] {
    return this.everything.map((entry) => entry.id);
  }

  /** Some lines in one frame, which arrives, is lost, arrives twice or arrives later than the next. */
  speak(): void {
    const frame = Array.from({ length: 1 + Math.floor(this.random() * 3) }, () => this.line());
    const luck = this.random();
    if (luck < 0.25) return;
    if (luck < 0.4) this.late.push(frame);
    else this.hear(frame, ...(luck < 0.55 ? [frame] : []), ...this.late.splice(0));
  }

  ask(): void {
    if (this.answer) return;
    const { epoch, offset, loss } = this.room;
    this.joins += 1;
    const known = epoch === `e${this.epoch}` && this.log.length - offset <= this.kept;
    const entries = known ? this.log.slice(offset) : this.log.slice(-NEWEST);
    this.answer = {
      asked: loss,
      answer: {
        ok: true, epoch: `e${this.epoch}`, offset: this.log.length, recovered: known, entries, viewers: 1, peak: 1,
        stream: { id: "s1", title: "", category: null, status: "live", creator: { id: "c", display_name: "C" } },
        settings: plainSettings, pin: null, poll: null, raid: null, on_top: [],
        me: { user: null, may_chat: false, capabilities: [], restriction: null, warning: null, following_since: null },
      },
    };
  }

  answered(): void {
    const arrived = this.answer;
    this.answer = null;
    if (arrived) this.tell({ type: "joined", ...arrived });
  }

  lagged(): void {
    this.speakUnheard();
    this.tell({ type: "lagged" });
  }

  reset(): void {
    this.epoch += 1;
    this.log = [];
    this.late = [];
    this.answer = null; // a server answers no join from a log it has just given up
    this.tell({ type: "reset" });
    this.ask();
  }

  reconnect(): void {
    this.answer = null;
    this.late = [];
    this.tell({ type: "disconnected" });
    this.speakUnheard();
    this.ask();
  }

  /** The last moments, after which nothing is said: what was lost shows by a line, by being told, or by coming back. */
  end(): void {
    if (this.random() < 0.3) this.reconnect();
    else if (this.random() < 0.5) {
      this.ask();
      this.lagged();
    } else {
      this.hear([this.line()]);
      this.hear([this.line()]);
    }
    while (this.answer) this.answered();
  }

  private speakUnheard(): void {
    this.line();
  }

  private line(): Message {
    const offset = this.log.length + 1;
    const user = { id: "u", name: "U", role: "viewer" as const };
    const entry: Message = { stream_id: "s1", offset, kind: "message", id: `e${this.epoch}-${offset}`, user, text: "", at: 0 };
    this.log.push(entry);
    this.everything.push(entry);
    return entry;
  }

  private hear(...frames: Message[][]): void {
    for (const entries of frames) this.tell({ type: "entries", entries });
  }

  /** As the effect of `useRoom` does: another loss, another join, unless one is on its way. */
  private tell(action: RoomAction): void {
    this.room = reduceRoom(this.room, action);
    if (this.room.loss && this.room.loss !== this.asked) {
      this.asked = this.room.loss;
      this.ask();
    }
  }
}

function play(seed: number, kept: number, resets: boolean): World {
  const random = randomOf(seed);
  const world = new World(random, kept);
  world.ask();
  world.answered();
  for (let step = 0; step < STEPS; step += 1) {
    const luck = random();
    if (luck < 0.6) world.speak();
    else if (luck < 0.85) world.answered();
    else if (luck < 0.92) world.lagged();
    else if (luck < 0.97 || !resets) world.reconnect();
    else world.reset();
  }
  world.end();
  return world;
}

const shown = (room: Room) => room.entries.map(idOf);

test("any frames lost, doubled or late: after the recovery the list is the log", () => {
  let joins = 0;
  for (let seed = 1; seed <= CASES; seed += 1) {
    const world = play(seed, Infinity, false);
    expect(shown(world.room), `seed ${seed}`).toEqual(world.said);
    expect(world.room.gaps, `seed ${seed}`).toEqual([]);
    expect(world.room.loss).toBe(null);
    joins += world.joins;
  }
  expect(joins).toBeGreaterThan(CASES * 3);
});

test("when the log cannot give everything or is lost, nothing is doubled and every hole is marked", () => {
  let holes = 0;
  for (let seed = 1; seed <= CASES; seed += 1) {
    const { room, said } = play(seed, 1, true);
    const lines = shown(room);
    const places = lines.map((id) => said.indexOf(id ?? ""));
    expect(new Set(lines).size, `seed ${seed}`).toBe(lines.length);
    expect(places, `seed ${seed}`).toEqual([...places].sort((one, other) => one - other));
    const missing = places.flatMap((place, line) => (line > 0 && place !== places[line - 1]! + 1 ? [room.dropped + line] : []));
    expect(room.gaps, `seed ${seed}`).toEqual(expect.arrayContaining(missing));
    holes += missing.length;
  }
  expect(holes).toBeGreaterThan(0);
});
