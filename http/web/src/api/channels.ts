/** The calls about one channel: who runs it, what was done, what holds there. See docs/api.md, "Channels". */
import { call } from "./client";
import type { HeldMessage, Message, Restriction, Caution, RoomSettings, Ruling, User } from "../realtime/events";

type Signal = AbortSignal | undefined;
type Query = Record<string, string | number | null | undefined>;

export interface Channel {
  channel: { id: string; display_name: string; live_stream_id: string | null; followers: number };
  me: { role: User["role"]; capabilities: string[]; following_since: number | null; restriction: Restriction | null; warning: Caution | null };
}

/** A channel whose desk is open to who asks. */
export interface Moderated {
  id: string;
  display_name: string;
  role: "creator" | "moderator";
  live_stream_id: string | null;
}

export interface Done {
  action_id: string | null;
  undo_until: number | null;
  message: string;
}

/** Null leaves a check to the level, 0 turns it off. */
export interface AutoMod {
  level: number;
  links: "allow" | "hold" | "refuse" | null;
  allowed_domains: string[];
  account_age_seconds: number | null;
  categories: string[] | null;
  caps_share: number | null;
  repetition: number | null;
  zalgo: number | null;
  mentions: number | null;
}

export interface ChannelRules {
  settings: RoomSettings;
  automod: AutoMod;
  revision: number;
}

export interface Term {
  id: string;
  text: string;
  kind: "blocked" | "allowed";
  /** What a blocked term does to a message: a moderator decides, or nobody ever sees it. */
  action: "hold" | "refuse";
  /** Whether who writes it is told which it was. */
  public: boolean;
  by_name: string;
  at: number;
}

export type NewTerm = Pick<Term, "text" | "kind" | "action" | "public">;

export interface Appointed {
  user: { id: string; name: string };
  role: "moderator" | "vip";
  at: number;
  by: { id: string; name: string } | null;
}

export interface Banned {
  user: { id: string; name: string };
  kind: "ban" | "timeout";
  until: number | null;
  reason: string;
  by: { id: string; name: string } | null;
  at: number;
}

export interface Note {
  id: string;
  text: string;
  at: number;
  author: { id: string; name: string };
}

export interface PersonCard {
  user: User;
  account_created_at: number;
  following_since: number | null;
  restriction: Restriction | null;
  warning: Caution | null;
  counts: Record<string, number>;
  rulings: Ruling[];
  notes: Note[];
}

export interface SaidMessage extends Pick<Message, "id" | "text" | "at" | "stream_id"> {
  removed: boolean;
}

export interface UnbanRequest {
  id: string;
  user: { id: string; name: string };
  text: string;
  at: number;
  status: "pending" | "approved" | "denied";
  resolved_by: { id: string; name: string } | null;
  resolution: string | null;
}

export interface Figures {
  moderator: { id: string; name: string };
  counts: Record<string, number>;
  total: number;
}

export interface LogFilter {
  actor?: string;
  target?: string;
  action?: string;
  from?: string;
  to?: string;
}

type Page<Name extends string, Item> = Record<Name, Item[]> & { next_cursor: string | null };

const at = (id: string, path = "", query: Query = {}) => {
  const wanted = Object.entries(query).flatMap(([name, value]) => (value === null || value === undefined || value === "" ? [] : [[name, String(value)]]));
  const search = wanted.length ? `?${new URLSearchParams(wanted)}` : "";
  return `/channels/${encodeURIComponent(id)}${path}${search}`;
};
const part = encodeURIComponent;

export const fetchChannel = (id: string, signal?: Signal) => call<Channel>(at(id), { signal });
export const fetchModerated = (signal?: Signal) => call<{ channels: Moderated[] }>(at("moderated"), { signal });
export const fetchRules = (id: string, signal?: Signal) => call<ChannelRules>(at(id, "/rules"), { signal });
export const saveAutoMod = (id: string, automod: AutoMod) => call<ChannelRules>(at(id, "/automod"), { method: "PUT", body: automod });

/** One command, as its socket event without `stream_id`; works when nothing is live. */
export const command = (id: string, type: string, body: object) => call<Done>(at(id, "/actions"), { method: "POST", body: { type, ...body } });

export const fetchTerms = (id: string, cursor: string | null, signal?: Signal) => call<Page<"terms", Term>>(at(id, "/terms", { cursor, limit: 100 }), { signal });
export const addTerm = (id: string, term: NewTerm) => call<Term>(at(id, "/terms"), { method: "POST", body: term });
export const removeTerm = (id: string, term: string) => call<void>(at(id, `/terms/${part(term)}`), { method: "DELETE" });

export const fetchRoles = (id: string, signal?: Signal) => call<{ roles: Appointed[] }>(at(id, "/roles"), { signal });
export const fetchBans = (id: string, query: { kind?: string; q?: string; cursor?: string | null }, signal?: Signal) =>
  call<Page<"bans", Banned>>(at(id, "/bans", { ...query, limit: 50 }), { signal });
export const fetchLog = (id: string, query: LogFilter & { cursor?: string | null }, signal?: Signal) =>
  call<Page<"rulings", Ruling>>(at(id, "/log", { ...query, limit: 50 }), { signal });
export const exportAddress = (id: string, format: "csv" | "json", { from, to }: LogFilter) =>
  `/api/v1${at(id, "/log/export", { format, from, to })}`;
export const fetchFigures = (id: string, { from, to }: LogFilter, signal?: Signal) =>
  call<{ figures: Figures[] }>(at(id, "/log/figures", { from, to }), { signal });

export const findPeople = (id: string, q: string, signal?: Signal) => call<{ people: User[] }>(at(id, "/people", { q }), { signal });
export const fetchPerson = (id: string, user: string, signal?: Signal) => call<PersonCard>(at(id, `/people/${part(user)}`), { signal });
export const fetchSaid = (id: string, user: string, cursor: string | null, signal?: Signal) =>
  call<Page<"messages", SaidMessage>>(at(id, `/people/${part(user)}/messages`, { cursor }), { signal });
export const addNote = (id: string, user: string, text: string) =>
  call<Note>(at(id, `/people/${part(user)}/notes`), { method: "POST", body: { text } });
export const removeNote = (id: string, user: string, note: string) =>
  call<void>(at(id, `/people/${part(user)}/notes/${part(note)}`), { method: "DELETE" });

export const fetchUnbanRequests = (id: string, status: string, cursor: string | null, signal?: Signal) =>
  call<Page<"requests", UnbanRequest>>(at(id, "/unban-requests", { status, cursor }), { signal });
export const resolveUnbanRequest = (id: string, request: string, approve: boolean, text: string) =>
  call<UnbanRequest>(at(id, `/unban-requests/${part(request)}`), { method: "POST", body: { approve, text } });
export const fetchHeld = (id: string, signal?: Signal) => call<{ held: HeldMessage[] }>(at(id, "/held"), { signal });
