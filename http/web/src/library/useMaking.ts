/**
 * How far the making of each of one's videos is, as the socket tells. A video that became playable, ready or failed
 * makes the list be read again; without a socket the list is read every few seconds while something is in the making.
 */
import { useEffect, useState } from "react";
import type { VideoMaking } from "../api/videos";
import { sharedSocket } from "../realtime/socket";

const WITHOUT_NEWS_MS = 10_000;

export function useMaking(onTurn: () => void): ReadonlyMap<string, VideoMaking> {
  const [making, setMaking] = useState<ReadonlyMap<string, VideoMaking>>(new Map());
  useEffect(() => {
    const last = new Map<string, string>();
    let leave = () => {};
    let gone = false;
    const heard = (news: VideoMaking) => {
      setMaking((had) => new Map(had).set(news.video_id, news));
      const turn = `${news.status} ${news.playable}`;
      if (last.get(news.video_id) !== turn) onTurn();
      last.set(news.video_id, turn);
    };
    void sharedSocket().then((socket) => {
      if (gone) return;
      const watch = () => socket.emit("studio:watch", {}, () => undefined);
      socket.on("connect", watch);
      socket.on("studio:video", heard);
      if (socket.connected) watch();
      leave = () => {
        socket.off("connect", watch);
        socket.off("studio:video", heard);
        socket.emit("studio:unwatch", {}, () => undefined);
      };
    }, () => undefined);
    const timer = setInterval(onTurn, WITHOUT_NEWS_MS);
    return () => {
      gone = true;
      clearInterval(timer);
      leave();
    };
  }, [onTurn]);
  return making;
}
