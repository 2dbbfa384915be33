/** The room's modes in words. Pure. */
import type { Me, RoomSettings } from "../realtime/events";
import { duration } from "../ui/time";

export interface Mode {
  key: string;
  short: string;
  long: string;
}

const age = (seconds: number) => (seconds < 60 ? `${seconds} s` : duration(seconds));

/** What holds here just now, the strictest first. */
export function modesOf(settings: RoomSettings): Mode[] {
  const slow = Math.max(settings.slow_seconds, settings.auto_slow_seconds);
  const auto = settings.auto_slow_seconds > settings.slow_seconds;
  const followers = settings.followers_seconds;
  const all: [boolean, Mode][] = [
    [settings.read_only, { key: "read", short: "Read-only", long: "Only moderators may write." }],
    [settings.shield, { key: "shield", short: "Shield mode", long: "The moderators set everything to its strictest for a while." }],
    [settings.subscribers_only, { key: "subscribers", short: "Subscribers only", long: "Only subscribers may write." }],
    [followers !== null, {
      key: "followers",
      short: followers ? `Followers of ${age(followers)}` : "Followers only",
      long: followers ? `Only who has followed for ${age(followers)} may write.` : "Only followers may write.",
    }],
    [slow > 0, { key: "slow", short: `Slow ${slow} s`, long: `One message every ${slow} seconds${auto ? ", set by the room itself while it is loud" : ""}.` }],
    [settings.emote_only, { key: "emote", short: "Emotes only", long: "Only emotes may be sent." }],
    [settings.unique_chat, { key: "unique", short: "Unique chat", long: "Nothing may be said twice." }],
    [settings.delay_seconds > 0, { key: "delay", short: `Delay ${settings.delay_seconds} s`, long: `Moderators see messages ${settings.delay_seconds} seconds before everybody else.` }],
  ];
  return all.filter(([on]) => on).map(([, mode]) => mode);
}

/** How long after one message the next may be sent, in ms; 0 for who is exempt. */
export function slowMs(settings: RoomSettings, you: Me | null): number {
  if (you?.capabilities.includes("skip_modes")) return 0;
  return Math.max(settings.slow_seconds, settings.auto_slow_seconds) * 1000;
}
