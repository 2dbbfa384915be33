import { describe, expect, it } from "vitest";
import { deedOf, SPEEDS, speedBeside } from "./keys";
import { begun, extended, linesAt, nextFor } from "./replay";
import { readStoryboard, tileAt } from "./storyboard";
import { secondsOf } from "./VideoPage";

const VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nstoryboard-0.jpg#xywh=0,0,160,90\n\n00:00:02.000 --> 01:00:04.500\nstoryboard-0.jpg#xywh=160,0,160,90\n";

describe("a storyboard", () => {
  it("is read with its sheets beside it", () => {
    const tiles = readStoryboard(VTT, "http://edge/vod/v/b/storyboard.vtt");
    expect(tiles).toHaveLength(2);
    expect(tiles[1]).toEqual({ start: 2, end: 3604.5, url: "http://edge/vod/v/b/storyboard-0.jpg", x: 160, y: 0, width: 160, height: 90 });
    expect([0, 1.9, 2, 99].map((seconds) => tileAt(tiles, seconds)?.x)).toEqual([0, 0, 160, 160]);
    expect(tileAt([], 3)).toBeNull();
    expect(readStoryboard("<html>", "http://edge/x")).toEqual([]);
  });
});

describe("keys", () => {
  it("mean what people expect, arrows only on the player", () => {
    expect(deedOf("K", false)).toEqual({ do: "toggle" });
    expect(deedOf("5", false)).toEqual({ do: "to", part: 0.5 });
    expect(deedOf("ArrowRight", false)).toBeNull();
    expect(deedOf("ArrowRight", true)).toEqual({ do: "by", seconds: 5 });
    expect(deedOf("x", true)).toBeNull();
  });

  it("change the speed in steps, and not beyond the ends", () => {
    expect(speedBeside(1, 1)).toBe(1.25);
    expect(speedBeside(2, 1)).toBe(2);
    expect(speedBeside(0.25, -1)).toBe(0.25);
    for (const speed of SPEEDS) expect(SPEEDS).toContain(speedBeside(speed, 1));
  });
});

describe("the address of a moment", () => {
  it("is seconds, or hours, minutes and seconds", () => {
    expect(["90", "1m30s", "1h", "2h3m4s", "", "abc", "-5", null].map(secondsOf)).toEqual([90, 90, 3600, 7384, null, null, null, null]);
  });
});

describe("a replayed chat", () => {
  const line = (at: number) => ({ at_seconds: at, entry: { id: `m${at}` } });
  const page = (from: number, to: number, cursor: string | null, revision = 1) => ({ lines: Array.from({ length: to - from }, (_, index) => line(from + index)), next_cursor: cursor, revision });

  it("shows what was said up to now, never what comes", () => {
    const { lines } = page(0, 300, null);
    expect(linesAt(lines, 10.5).at(-1)).toEqual(line(10));
    expect(linesAt(lines, 10.5)).toHaveLength(11);
    expect(linesAt(lines, 299)).toHaveLength(150);
    expect(linesAt(lines, -1)).toEqual([]);
  });

  it("asks for more before it is needed, and anew after a jump", () => {
    expect(nextFor(null, 100)).toEqual({ ask: "from", seconds: 10 });
    const known = begun(page(10, 110, "c"), 10);
    expect(nextFor(known, 50)).toBeNull();
    expect(nextFor(known, 95)).toEqual({ ask: "more", cursor: "c" });
    expect(nextFor(known, 5)).toEqual({ ask: "from", seconds: 0 });
    expect(nextFor(known, 500)).toEqual({ ask: "from", seconds: 410 });
    expect(nextFor(extended(known, page(110, 130, null))!, 500)).toBeNull();
  });

  it("forgets what it knows when something was removed since", () => {
    expect(extended(begun(page(0, 10, "c"), 0), page(10, 20, null, 2))).toBeNull();
  });
});
