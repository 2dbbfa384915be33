/** Slash commands where no room is open: the few that make sense without one, as the commands they stand for. Pure. */
import { parseDuration, type Command } from "./deeds";

export interface SlashHelp {
  name: string;
  usage: string;
  what: string;
}

export const SLASH: SlashHelp[] = [
  { name: "ban", usage: "name [reason]", what: "Silence somebody for good" },
  { name: "timeout", usage: "name [10m] [reason]", what: "Silence somebody for a while" },
  { name: "unban", usage: "name [reason]", what: "Lift a ban or a timeout" },
  { name: "warn", usage: "name reason", what: "They must acknowledge it before they talk again" },
  { name: "clear", usage: "", what: "Remove everything said so far" },
  { name: "slow", usage: "seconds", what: "Seconds between two messages of one person; 0 for none" },
  { name: "followers", usage: "[10m]", what: "Only followers write, after so long" },
  { name: "shield", usage: "on|off", what: "The strictest of everything" },
  { name: "announce", usage: "text", what: "Say something that stands out" },
  { name: "vip", usage: "name", what: "Make somebody a VIP" },
  { name: "unvip", usage: "name", what: "Take the VIP badge back" },
  { name: "mod", usage: "name", what: "Make somebody a moderator" },
  { name: "unmod", usage: "name", what: "Take the role back" },
];

/** What begins like what was typed, while the name of the command is being typed. */
export function completions(line: string): SlashHelp[] {
  const found = /^\/(\w*)$/.exec(line);
  return found ? SLASH.filter((help) => help.name.startsWith(found[1]!.toLowerCase())).slice(0, 6) : [];
}

/** `name` still has to be found; the command's body has everything else. */
export type Parsed = { name: string | null; command: Command } | { problem: string };

const nobody = (command: Command): Parsed => ({ name: null, command });

export function parseLine(line: string): Parsed {
  const [, verb = "", rest = ""] = /^\/(\w+)\s*(.*)$/s.exec(line.trim()) ?? [];
  const [, who = "", after = ""] = /^@?(\S+)\s*(.*)$/s.exec(rest) ?? [];
  const help = SLASH.find((one) => one.name === verb.toLowerCase());
  if (!help) return { problem: "There is no such command." };
  const usage = { problem: `This command is written /${help.name} ${help.usage}`.trim() };
  const about = (type: string, body: Record<string, unknown>): Parsed => (who ? { name: who, command: { type, body } } : usage);
  const reason = after ? { reason: after } : {};
  switch (help.name) {
    case "ban":
    case "unban":
      return about(help.name, reason);
    case "warn":
      return after ? about("warn", reason) : usage;
    case "timeout": {
      const [first = "", ...words] = after.split(/\s+/);
      const seconds = parseDuration(first);
      const why = (seconds === null ? after : words.join(" ")).trim();
      return about("timeout", { seconds: seconds ?? 600, ...(why ? { reason: why } : {}) });
    }
    case "vip":
    case "unvip":
      return about("vip", { on: help.name === "vip" });
    case "mod":
    case "unmod":
      return about("moderator", { on: help.name === "mod" });
    case "clear":
      return nobody({ type: "clear", body: {} });
    case "slow":
      return /^\d+$/.test(rest) ? nobody({ type: "settings", body: { slow_seconds: Number(rest) } }) : usage;
    case "followers":
      return nobody({ type: "settings", body: { followers_seconds: parseDuration(rest) ?? 0 } });
    case "shield":
      return rest === "on" || rest === "off" ? nobody({ type: "shield", body: { on: rest === "on" } }) : usage;
    default:
      return rest ? nobody({ type: "announce", body: { text: rest } }) : usage;
  }
}
