import { useEffect, useState } from "react";
import { readStoryboard, type Tile } from "./storyboard";

/** The storyboard's tiles; none while there is no file, or it cannot be had. */
export function useStoryboard(url: string | null): readonly Tile[] {
  const [tiles, setTiles] = useState<readonly Tile[]>([]);
  useEffect(() => {
    setTiles([]);
    if (!url) return;
    const left = new AbortController();
    fetch(url, { credentials: "include", signal: left.signal })
      .then((answer) => (answer.ok ? answer.text() : ""))
      .then((text) => setTiles(readStoryboard(text, url)))
      .catch(() => undefined); // a seek bar without pictures is a seek bar
    return () => left.abort();
  }, [url]);
  return tiles;
}
