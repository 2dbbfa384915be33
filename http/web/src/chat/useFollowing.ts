/** Whether one follows a channel, as the room says or as was just done here. */
import { useEffect, useState } from "react";
import { fetchChannel } from "../api/channels";
import { asApiError } from "../api/errors";
import { follow, unfollow } from "../api/follows";
import { useToast } from "../ui/Toasts";

export interface Following {
  /** null while nobody knows. */
  on: boolean | null;
  followers: number | null;
  busy: boolean;
  change: (on: boolean) => void;
}

/** `told`: what the room says, undefined while there is no room. `asked`: whether somebody is signed in. */
export function useFollowing(channelId: string, told: number | null | undefined, asked: boolean): Following {
  const [on, setOn] = useState<boolean | null>(null);
  const [followers, setFollowers] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const toast = useToast();
  useEffect(() => {
    const left = new AbortController();
    fetchChannel(channelId, left.signal).then(
      ({ channel, me }) => {
        setFollowers(channel.followers);
        setOn(me.following_since !== null);
      },
      () => {}, // the button then waits for the room's word
    );
    return () => left.abort();
  }, [channelId, asked]);
  useEffect(() => {
    if (told !== undefined) setOn(told !== null);
  }, [told]);
  const change = (next: boolean) => {
    setBusy(true);
    (next ? follow(channelId) : unfollow(channelId)).then(
      () => {
        setOn(next);
        setFollowers((before) => (before === null ? null : Math.max(0, before + (next ? 1 : -1))));
      },
      (thrown: unknown) => toast(asApiError(thrown).message, "problem"),
    ).finally(() => setBusy(false));
  };
  return { on, followers, busy, change };
}
