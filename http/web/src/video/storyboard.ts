/** The pictures above the seek bar: a WebVTT file whose cues name a part of a sheet each. Pure. */

export interface Tile {
  start: number;
  end: number;
  /** The sheet's address. */
  url: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const CUE = /^(\d{2,}):(\d{2}):(\d{2})\.(\d{3}) --> (\d{2,}):(\d{2}):(\d{2})\.(\d{3})\s*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/gm;

/** Sheets are named beside the file; what does not read as a cue is left out. */
export function readStoryboard(text: string, address: string): Tile[] {
  return Array.from(text.matchAll(CUE), (cue) => {
    const number = (index: number) => Number(cue[index]);
    const seconds = (index: number) => number(index) * 3600 + number(index + 1) * 60 + number(index + 2) + number(index + 3) / 1000;
    return { start: seconds(1), end: seconds(5), url: new URL(cue[9]!, address).href, x: number(10), y: number(11), width: number(12), height: number(13) };
  });
}

export function tileAt(tiles: readonly Tile[], seconds: number): Tile | null {
  let low = 0;
  let high = tiles.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tiles[middle]!.start <= seconds) low = middle;
    else high = middle - 1;
  }
  return tiles[low] ?? null;
}
