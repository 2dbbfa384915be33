/** The emotes of a room: its channel's, and those of every room. */
import { useEffect, useMemo, useState } from "react";
import { builtinEmotes, channelEmotes, type Emote } from "./emotes";

export function useEmotes(channelId: string | null): { list: readonly Emote[]; byCode: ReadonlyMap<string, Emote> } {
  const [own, setOwn] = useState<Emote[]>([]);
  useEffect(() => {
    setOwn([]);
    if (channelId === null) return;
    const left = new AbortController();
    // Without them their codes are read as words; nothing else is lost.
    channelEmotes(channelId, left.signal).then(setOwn, () => {});
    return () => left.abort();
  }, [channelId]);
  return useMemo(() => {
    const list = [...own, ...builtinEmotes];
    // Where a channel's emote has the code of a built-in one, the channel's is meant.
    return { list, byCode: new Map([...list].reverse().map((emote) => [emote.code, emote])) };
  }, [own]);
}
