/** Every event of the socket. Made by `footlight events --write` from realtime/events.py; do not edit by hand. */

/** Why the server ends a connection, and whether to come back. */
export const DISCONNECTS = {
  "node.draining": { number: 4000, message: "This server is about to restart. Move to another one.", reconnect: true },
  "auth.token_expired": { number: 4001, message: "Your sign-in must be refreshed.", reconnect: true },
  "socket.too_slow": { number: 4002, message: "Your connection cannot keep up.", reconnect: true },
  "auth.session_over": { number: 4500, message: "You were signed out.", reconnect: false },
  "socket.misbehaved": { number: 4501, message: "This client does not follow the protocol.", reconnect: false },
} as const;

export type DisconnectCode = keyof typeof DISCONNECTS;

export type ErrorCode =
  | "auth.origin"
  | "auth.required"
  | "auth.session_over"
  | "auth.token_expired"
  | "auth.token_invalid"
  | "chat.banned"
  | "chat.slow_mode"
  | "chat.text_invalid"
  | "chat.too_fast"
  | "internal"
  | "limit.rate"
  | "limit.sockets"
  | "realtime.session_unknown"
  | "realtime.transport"
  | "request.invalid"
  | "request.unknown_event"
  | "room.ended"
  | "room.not_found"
  | "room.not_joined"
  | "room.too_many"
  | "service.unavailable";

export type ConnectErrorCode =
  | "auth.session_over"
  | "auth.token_expired"
  | "auth.token_invalid"
  | "request.invalid"
  | "service.unavailable";

export interface ErrorBody<Code extends ErrorCode = ErrorCode> {
  code: Code;
  message: string;
  details: Record<string, unknown>;
}

export interface Refusal<Code extends ErrorCode = ErrorCode> {
  ok: false;
  error: ErrorBody<Code>;
}

/** What a client event is acknowledged with when all went well. */
export interface Answer {
  ok: true;
}

/** `after` is `next` of the page before; without it the list begins. */
export interface AskChatters {
  stream_id: string;
  after?: string | null;
}

/** The payload of Socket.IO's own CONNECT. */
export interface Auth {
  token?: string | null;
  device?: string | null;
}

/** At most 100 `users`: the broadcaster, then moderators and admins, then all others by name. `total` counts everybody who signed in, `anonymous` everybody else; `next` is null on the last page. */
export interface Chatters {
  ok: true;
  users: User[];
  next: string | null;
  total: number;
  anonymous: number;
}

/** Why Socket.IO's CONNECT was refused; the official clients show `data` on the error of `connect_error`. */
export interface ConnectError {
  message: string;
  data: ErrorBody;
}

/** The answer to Socket.IO's CONNECT. */
export interface Connected {
  sid: string;
}

/** The broadcaster of a stream. */
export interface Creator {
  id: string;
  display_name: string;
}

/** One line of a room's log. */
export interface Entry {
  offset: number;
  stream_id: string;
  kind: "message";
  id: string;
  user: User;
  text: string;
  at: number;
}

/** `epoch` and `offset` are the position one has; without them the newest entries are answered. */
export interface JoinRoom {
  stream_id: string;
  epoch?: string | null;
  offset?: number | null;
}

/** Fine for who is not in the room. */
export interface LeaveRoom {
  stream_id: string;
}

/** Who asks, as the room sees them; `user` is null for who is not signed in. */
export interface Me {
  user: User | null;
  may_chat: boolean;
}

/** The message is stored, at `offset` of the room's log. */
export interface MessageSent {
  ok: true;
  offset: number;
}

/** `recovered`: `entries` are exactly what was missed. Otherwise throw away what you have and begin from them. */
export interface RoomJoined {
  ok: true;
  epoch: string;
  offset: number;
  recovered: boolean;
  entries: Entry[];
  stream: StreamInfo;
  viewers: number;
  peak: number;
  settings: RoomSettings;
  me: Me;
}

/** Your position still holds: what was missed is answered to a join with it. */
export interface RoomLagged {
  stream_id: string;
}

/** How far the log of a room was passed on. */
export interface RoomPosition {
  epoch: string;
  offset: number;
}

/** What you have may not fit what comes: throw the position away. */
export interface RoomReset {
  stream_id: string;
}

/** What holds for everybody who writes here: seconds between two messages, and characters in one. */
export interface RoomSettings {
  slow_seconds: number;
  max_length: number;
}

/** `reason` is there when the stream ended. */
export interface RoomStatus {
  stream_id: string;
  status: "created" | "ended" | "interrupted" | "live";
  at: number;
  title: string;
  category: string | null;
  reason?: string | null;
}

/** Users and devices, however many tabs and nodes; `peak` is the most there ever were. */
export interface RoomViewers {
  stream_id: string;
  viewers: number;
  peak: number;
}

/** `id` is the client's choice; the same id again stores the message once and answers the same offset. */
export interface SendMessage {
  stream_id: string;
  id: string;
  text: string;
}

/** `code` is one of the disconnect codes and `number` its WebSocket close code; `delay_ms` is how long to wait. `positions` tells by stream id how far the server is in your rooms; if yours is lower, join with yours. */
export interface SessionClosing {
  code: "node.draining" | "auth.token_expired" | "socket.too_slow" | "auth.session_over" | "socket.misbehaved";
  number: number;
  message: string;
  reconnect: boolean;
  delay_ms: number;
  positions?: Record<string, RoomPosition>;
}

/** The stream a room belongs to, as it is at the moment of the answer. */
export interface StreamInfo {
  id: string;
  title: string;
  category: string | null;
  status: "created" | "ended" | "interrupted" | "live";
  creator: Creator;
}

/** Somebody in a room; `creator` is the broadcaster of this room, nobody else. */
export interface User {
  id: string;
  name: string;
  role: "admin" | "creator" | "viewer";
}

export interface ClientEvents {
  /** Enter a room, or recover in one you are in: what was missed, then everything that is said. */
  "room:join": (
    body: JoinRoom,
    answer: (answer: RoomJoined | Refusal<"internal" | "limit.rate" | "request.invalid" | "room.not_found" | "room.too_many" | "service.unavailable">) => void,
  ) => void;
  /** Leave a room. */
  "room:leave": (
    body: LeaveRoom,
    answer: (answer: Answer | Refusal<"internal" | "limit.rate" | "request.invalid" | "service.unavailable">) => void,
  ) => void;
  /** Say something. Once acknowledged it is in the room's log and never lost. */
  "chat:send": (
    body: SendMessage,
    answer: (answer: MessageSent | Refusal<"auth.required" | "chat.banned" | "chat.slow_mode" | "chat.text_invalid" | "chat.too_fast" | "internal" | "limit.rate" | "request.invalid" | "room.ended" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Who is here: a page of the people who signed in, from all nodes, a few seconds old. */
  "room:chatters": (
    body: AskChatters,
    answer: (answer: Chatters | Refusal<"internal" | "limit.rate" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
}

export interface ServerEvents {
  /** What was said since the last frame, in the order of the room's log. */
  "chat": (body: Entry[]) => void;
  /** How many watch: at most once a second, and only when it changed. */
  "room:viewers": (body: RoomViewers) => void;
  /** The stream began, stopped, came back or ended, or has another title. */
  "room:status": (body: RoomStatus) => void;
  /** The room's log was lost or moved: join again. */
  "room:reset": (body: RoomReset) => void;
  /** You could not be reached fast enough and missed messages: join again with your position. */
  "room:lagged": (body: RoomLagged) => void;
  /** The last word before the server disconnects. */
  "session:closing": (body: SessionClosing) => void;
}
