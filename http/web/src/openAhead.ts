import { askAhead } from "./video/ahead";

/** Fetch what an address is sure to need before React draws anything: the first frame of a video comes that much sooner. */
export function openAhead(path: string): void {
  const videoId = /^\/video\/([\w-]+)\/?$/.exec(path)?.[1];
  if (!videoId) return;
  void import("./video/VideoPage").catch(() => undefined); // the page itself tells of trouble
  askAhead(videoId);
}
