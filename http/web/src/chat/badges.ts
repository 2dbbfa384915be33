/** What stands beside a name, by role. */
import type { User } from "../realtime/events";

export const BADGES: Record<User["role"], string | null> = { creator: "Creator", admin: "Admin", moderator: "Mod", vip: "VIP", viewer: null };
