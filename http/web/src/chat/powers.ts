/** What one may do to a line, from the capabilities the room gave. Pure. */
import type { Me, User } from "../realtime/events";
import type { Said } from "../realtime/fold";

const RANK: Record<User["role"], number> = { viewer: 0, vip: 0, moderator: 1, creator: 2, admin: 3 };

export interface Powers {
  reply: boolean;
  /** Delete, time out, warn and ban: over who stands below. */
  moderate: boolean;
  pin: boolean;
  appoint: boolean;
}

export function powersOver(you: Me | null, line: Said): Powers {
  const can = (capability: string) => you?.capabilities.includes(capability) ?? false;
  const own = you?.user?.id === line.user.id;
  const above = you?.user ? RANK[you.user.role] > RANK[line.user.role] : false;
  return {
    reply: Boolean(you?.user) && line.kind === "message",
    moderate: can("moderate") && (above || own),
    pin: can("moderate"),
    appoint: can("appoint") && above && !own,
  };
}

export const isModerator = (you: Me | null) => you?.capabilities.includes("moderate") ?? false;
