import { describe, expect, it } from "vitest";
import { bytesOf, byteWords, hex, leftWords, missing, partsOf, refusal, Speed, titleOf } from "./parts";

describe("parts of a file", () => {
  it("cover every byte once, in order", () => {
    for (const [size, part] of [[1, 5], [5, 5], [6, 5], [5_000_001, 1_000_000], [10, 3]] as const) {
      const parts = partsOf(size, part);
      expect(parts.map((each) => each.number)).toEqual(parts.map((_, index) => index + 1));
      expect(parts[0]!.start).toBe(0);
      expect(parts.at(-1)!.end).toBe(size);
      parts.slice(1).forEach((each, index) => expect(each.start).toBe(parts[index]!.end));
      expect(bytesOf(parts)).toBe(size);
    }
  });

  it("are asked for only when the storage lacks them", () => {
    expect(missing(partsOf(10, 3), new Set([1, 4])).map((part) => part.number)).toEqual([2, 3]);
  });
});

describe("speed", () => {
  it("is that of the last seconds, and unknown at first", () => {
    const speed = new Speed(10_000);
    expect(speed.bytesPerSecond).toBeNull();
    speed.add(0, 0);
    speed.add(1_000_000, 1000);
    expect(speed.bytesPerSecond).toBe(1_000_000);
    for (let second = 2; second <= 40; second++) speed.add(1_000_000, second * 1000);
    expect(speed.bytesPerSecond).toBe(0);
  });
});

describe("words", () => {
  it("say sizes and times as people do", () => {
    expect([1, 999, 1500, 20_000_000, 3_200_000_000].map(byteWords)).toEqual(["1 byte", "999 bytes", "1.5 KB", "20 MB", "3.2 GB"]);
    expect([0, 42, 150, 7260].map(leftWords)).toEqual(["1 s left", "42 s left", "3 min left", "2 h 1 min left"]);
    expect(hex(new Uint8Array([0, 15, 255]).buffer)).toBe("000fff");
  });

  it("make a title of a file name", () => {
    expect(titleOf("My holiday (final)_2.mp4")).toBe("My holiday (final) 2");
    expect(titleOf("v1.2 notes.mkv")).toBe("v1.2 notes");
    expect(titleOf(".mp4")).toBe("Untitled");
  });

  it("refuse what is no video, and nothing else", () => {
    expect(refusal({ name: "a.mp4", type: "", size: 3 })).toBeNull();
    expect(refusal({ name: "a", type: "video/x-matroska", size: 3 })).toBeNull();
    expect(refusal({ name: "a.txt", type: "text/plain", size: 3 })).toContain("not a video");
    expect(refusal({ name: "a.mp4", type: "video/mp4", size: 0 })).toContain("empty");
  });
});
