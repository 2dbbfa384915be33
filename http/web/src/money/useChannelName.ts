/** What a channel is called; null while it is not known. */
import { useEffect, useState } from "react";
import { fetchChannel } from "../api/channels";

export function useChannelName(id: string | null): string | null {
  const [name, setName] = useState<string | null>(null);
  useEffect(() => {
    if (!id) return;
    const left = new AbortController();
    fetchChannel(id, left.signal).then(({ channel }) => setName(channel.display_name), () => undefined);
    return () => left.abort();
  }, [id]);
  return name;
}
