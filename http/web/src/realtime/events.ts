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
  | "chat.blocked"
  | "chat.emote_only"
  | "chat.followers_only"
  | "chat.not_unique"
  | "chat.read_only"
  | "chat.slow_mode"
  | "chat.subscribers_only"
  | "chat.text_invalid"
  | "chat.too_fast"
  | "chat.warned"
  | "command.malformed"
  | "command.unknown"
  | "internal"
  | "limit.rate"
  | "limit.sockets"
  | "mod.already_so"
  | "mod.ambiguous_user"
  | "mod.held_claimed"
  | "mod.held_gone"
  | "mod.message_gone"
  | "mod.not_allowed"
  | "mod.nothing_to_undo"
  | "mod.protected_user"
  | "mod.too_many"
  | "mod.unknown_user"
  | "poll.closed"
  | "poll.open"
  | "poll.voted"
  | "raid.target"
  | "realtime.session_unknown"
  | "realtime.transport"
  | "request.invalid"
  | "request.unknown_event"
  | "room.ended"
  | "room.not_found"
  | "room.not_joined"
  | "room.premium"
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

/** I have read the warning. */
export interface Acknowledge {
  stream_id: string;
  warning_id: string;
}

/** Done. With `action_id` it can be undone until `undo_until`; `message` says in words what happened. */
export interface Acted {
  ok: true;
  action_id: string | null;
  undo_until: number | null;
  message: string;
}

/** Say something that stands out. */
export interface Announce {
  stream_id: string;
  text: string;
  tint?: "blue" | "green" | "orange" | "primary" | "purple";
}

/** Said by those who run the room, to stand out. */
export interface Announcement {
  kind: "announcement";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  user: User;
  text: string;
  tint: "blue" | "green" | "orange" | "primary" | "purple";
}

/** What a client event is acknowledged with when all went well. */
export interface Answer {
  ok: true;
}

/** Say a held message after all. */
export interface Approve {
  stream_id: string;
  held_id: string;
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

/** The user is silent for good, and all they said is removed. */
export interface Ban {
  stream_id: string;
  user_id: string;
  reason?: string;
}

/** A warning that was not acknowledged yet. */
export interface Caution {
  id: string;
  reason: string;
}

/** Only what is named changes. `slow_seconds` is 0 or 3 to 120, `delay_seconds` 0, 2, 4 or 6. */
export interface ChangeSettings {
  stream_id: string;
  slow_seconds?: number;
  followers_seconds?: number | null;
  subscribers_only?: boolean;
  emote_only?: boolean;
  unique_chat?: boolean;
  delay_seconds?: 0 | 2 | 4 | 6;
  read_only?: boolean;
  paid_messages?: "held" | "off" | "open";
}

/** For the author: what became of a message that a moderator has to see first. `id` is the message's. */
export interface ChatHeld {
  stream_id: string;
  id: string;
  status: "approved" | "denied" | "expired" | "held";
  reason?: string;
}

/** At most 100 `users`: the broadcaster, then moderators and admins, then all others by name. `total` counts everybody who signed in, `anonymous` everybody else; `next` is null on the last page. */
export interface Chatters {
  ok: true;
  users: User[];
  next: string | null;
  total: number;
  anonymous: number;
}

/** This held message is mine to decide for a minute; with `release` it is anybody's again. */
export interface ClaimHeld {
  stream_id: string;
  held_id: string;
  release?: boolean;
}

/** Remove everything said so far. */
export interface ClearChat {
  stream_id: string;
  reason?: string;
}

/** Close the poll with what was voted; with `cancel` it counts for nothing. */
export interface ClosePoll {
  stream_id: string;
  poll_id: string;
  cancel?: boolean;
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

/** Remove one message: by who said it and its id. */
export interface DeleteMessage {
  stream_id: string;
  user_id: string;
  message_id: string;
  reason?: string;
}

/** Refuse a held message. */
export interface Deny {
  stream_id: string;
  held_id: string;
  reason?: string;
}

/** Why a message was held, for moderators: `start` and `end` are characters of its text. */
export interface Finding {
  code: string;
  detail: string;
  start: number;
  end: number;
}

/** `user` gave `count` subscriptions, each for so many `months`: to this channel at `level`, or premium at level 0. `text` says it in words. `recipients` are the first few who have one by then. */
export interface Gift {
  kind: "gift";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  user: User;
  text: string;
  count: number;
  level: number;
  months: number;
  recipients: Person[];
}

/** A message that waits for a moderator. `claimed_by` has it until `claimed_until`. `paid`: what goes back if it is denied, or nobody decides. */
export interface HeldMessage {
  id: string;
  stream_id: string;
  user: User;
  text: string;
  at: number;
  expires_at: number;
  findings: Finding[];
  paid: Paid | null;
  claimed_by: User | null;
  claimed_until: number | null;
}

/** `epoch` and `offset` are the position one has; without them the newest entries are answered. `desk` asks for what only moderators hear, and is quietly nothing for others. */
export interface JoinRoom {
  stream_id: string;
  epoch?: string | null;
  offset?: number | null;
  desk?: boolean;
}

/** Fine for who is not in the room. */
export interface LeaveRoom {
  stream_id: string;
}

/** Somebody who keeps order in the broadcaster's name. */
export interface MakeModerator {
  stream_id: string;
  user_id: string;
  on?: boolean;
}

/** Somebody the channel honours: exempt from slow mode and the like. */
export interface MakeVip {
  stream_id: string;
  user_id: string;
  on?: boolean;
}

/** Who asks, as the room sees them; `user` is null for who is not signed in. `capabilities` is what they may do here (the table in docs/moderation.md). */
export interface Me {
  user: User | null;
  may_chat: boolean;
  capabilities: string[];
  restriction: Restriction | null;
  warning: Caution | null;
  following_since: number | null;
}

/** Somebody said something; with `me` they did it (`/me`). */
export interface Message {
  kind: "message";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  user: User;
  text: string;
  me?: boolean;
  reply?: Reply | null;
  paid?: Paid | null;
}

/** The message is stored, at `offset` of the room's log; or `held`, and its author is told what becomes of it. */
export interface MessageSent {
  ok: true;
  offset: number;
  held: boolean;
}

/** For the desk: somebody did this. */
export interface ModActed {
  stream_id: string;
  ruling: Ruling;
}

/** For the desk: a held message came, is claimed or free again, or was decided. */
export interface ModHeld {
  stream_id: string;
  change: "added" | "approved" | "claimed" | "denied" | "expired" | "released";
  held: HeldMessage;
}

/** `delete` removes one message (`target`, `message_id`); `timeout` and `ban` all of the target's so far; `clear` everything so far. `until` ends a timeout. Who did it and why only moderators are told. */
export interface Moderation {
  kind: "moderation";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  action: "acknowledge" | "ban" | "clear" | "delete" | "timeout" | "unban" | "warn";
  target?: Person | null;
  message_id?: string | null;
  until?: number | null;
}

/** Ask the room; each account has one vote. */
export interface OpenPoll {
  stream_id: string;
  question: string;
  choices: string[];
  seconds?: number;
}

/** What was paid for a message, in minor units, and how long it stays on top. */
export interface Paid {
  amount_minor: number;
  currency: string;
  pin_seconds: number;
}

/** Whom something was done to. */
export interface Person {
  id: string;
  name: string;
}

/** A message on top of the chat until `until`. */
export interface Pin {
  message_id: string;
  user: User;
  text: string;
  until: number;
}

/** What is pinned from here on; null for nothing. */
export interface PinChanged {
  kind: "pin";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  pin: Pin | null;
}

/** Put a message on top of the chat. */
export interface PinMessage {
  stream_id: string;
  user_id: string;
  message_id: string;
  seconds?: number;
}

/** `votes` stand beside `choices`. A vote is one for each account. `closes_at` is when it closes by itself. */
export interface Poll {
  id: string;
  question: string;
  choices: string[];
  votes: number[];
  state: "cancelled" | "closed" | "open";
  closes_at: number;
}

/** A poll opened, or closed with these votes. */
export interface PollChanged {
  kind: "poll";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  poll: Poll;
}

/** The viewers of one channel go to another. `spread_ms`: each leaves after a random part of it. */
export interface Raid {
  channel_id: string;
  name: string;
  stream_id: string;
  viewers: number;
  departs_at: number;
  spread_ms: number;
  state: "arrived" | "cancelled" | "gone" | "preparing";
}

/** `preparing`, `gone`, `cancelled`: this room goes to the channel named. `arrived`: it comes here. */
export interface RaidChanged {
  kind: "raid";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  raid: Raid;
}

/** One of the room's reactions; counted, not said. */
export interface React {
  stream_id: string;
  reaction: "clap" | "fire" | "heart" | "laugh" | "sad" | "wow";
}

/** Here stood something that was removed. */
export interface Removed {
  kind: "removed";
  offset: number;
  stream_id: string;
}

/** The message that is answered. Its text is not repeated: it may be removed. */
export interface Reply {
  id: string;
  user_id: string;
  name: string;
}

/** The message one answers. */
export interface ReplyTo {
  user_id: string;
  id: string;
}

/** A removal was undone: this message is back in its old place. */
export interface Restored {
  kind: "restored";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  message: Message;
}

/** `until` is null for a ban. */
export interface Restriction {
  kind: "ban" | "timeout";
  until: number | null;
  reason: string;
}

/** Somebody is a moderator, a VIP, or neither from here on. */
export interface RoleChanged {
  kind: "role";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  target: Person;
  role: "moderator" | "viewer" | "vip";
}

/** `recovered`: `entries` are exactly what was missed. Otherwise throw away what you have and begin from them. `on_top` are paid messages whose time on top is not over (`at` + `paid.pin_seconds`), the oldest first; later ones come as entries. */
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
  pin: Pin | null;
  poll: Poll | null;
  raid: Raid | null;
  on_top: Message[];
}

/** Your position still holds: what was missed is answered to a join with it. */
export interface RoomLagged {
  stream_id: string;
}

/** The votes so far: at most once a second. */
export interface RoomPoll {
  stream_id: string;
  poll_id: string;
  votes: number[];
}

/** How far the log of a room was passed on. */
export interface RoomPosition {
  epoch: string;
  offset: number;
}

/** How many of each since the last one: at most once a second. */
export interface RoomReactions {
  stream_id: string;
  counts: Record<string, number>;
}

/** You are not in the room any more, and why: what a join would now be refused for. */
export interface RoomRefused {
  stream_id: string;
  code: string;
  message: string;
}

/** One message, all of a user's, or everything (both null). The entry that says so follows in its order. */
export interface RoomRemoved {
  stream_id: string;
  user_id: string | null;
  message_id: string | null;
}

/** What you have may not fit what comes: throw the position away. */
export interface RoomReset {
  stream_id: string;
}

/** What holds for everybody who writes here. `slow_seconds` between two messages of one user (0: none), `auto_slow_seconds` the same set by the room itself while it is too loud: the greater holds. `followers_seconds`: only who follows for so long may write (null: everybody). `delay_seconds`: others see a message so long after moderators. `max_length` in characters. `paid_messages`: shown when they are paid, held for a moderator, or not taken. */
export interface RoomSettings {
  slow_seconds: number;
  auto_slow_seconds: number;
  followers_seconds: number | null;
  subscribers_only: boolean;
  emote_only: boolean;
  unique_chat: boolean;
  delay_seconds: number;
  shield: boolean;
  read_only: boolean;
  max_length: number;
  paid_messages: "held" | "off" | "open";
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

/** What you are and may do here, whenever that changes. */
export interface RoomYou {
  stream_id: string;
  role: "admin" | "creator" | "moderator" | "viewer" | "vip";
  capabilities: string[];
  restriction: Restriction | null;
  warning: Caution | null;
  following_since: number | null;
}

/** One row of the moderation log, for moderators. `undo_until` is there while it can be undone with its messages. */
export interface Ruling {
  id: string;
  revision: number;
  channel_id: string;
  stream_id: string | null;
  action: string;
  actor: User;
  target: User | null;
  message_id: string | null;
  reason: string;
  snapshot: Record<string, unknown> | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  at: number;
  undoes: string | null;
  undone_by: string | null;
}

/** `id` is the client's choice; the same id again stores the message once and answers the same offset. */
export interface SendMessage {
  stream_id: string;
  id: string;
  text: string;
  me?: boolean;
  reply_to?: ReplyTo | null;
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

/** The settings that hold from here on, all of them. */
export interface SettingsChanged {
  kind: "settings";
  offset: number;
  stream_id: string;
  id: string;
  at: number;
  settings: RoomSettings;
}

/** One switch for the strictest of everything; new accounts are held. Off gives back what was before. */
export interface Shield {
  stream_id: string;
  on: boolean;
}

/** A line that begins with a slash. `users` says whom a name in it means, where the client knows. */
export interface Slash {
  stream_id: string;
  id: string;
  line: string;
  users?: Record<string, string>;
}

/** Send the viewers to another live channel, after `seconds`; with `cancel` they stay. */
export interface StartRaid {
  stream_id: string;
  channel_id?: string | null;
  cancel?: boolean;
  seconds?: number;
}

/** The stream a room belongs to, as it is at the moment of the answer. */
export interface StreamInfo {
  id: string;
  title: string;
  category: string | null;
  status: "created" | "ended" | "interrupted" | "live";
  creator: Creator;
}

/** How far the making of one's own video is. `done` is 0 to 1; `eta_seconds` is null while it cannot be told; `playable` from the first quality on; `message` says why it failed. */
export interface StudioVideo {
  video_id: string;
  status: "failed" | "processing" | "ready" | "uploading";
  stage: "checking" | "done" | "encoding" | "failed" | "finishing" | "queued";
  done: number;
  eta_seconds: number | null;
  playable: boolean;
  attempt: number;
  message: string | null;
}

/** The user is silent so long, and all they said is removed. */
export interface Timeout {
  stream_id: string;
  user_id: string;
  seconds: number;
  reason?: string;
}

/** Lifts a ban or a timeout. */
export interface Unban {
  stream_id: string;
  user_id: string;
  reason?: string;
}

/** Take back an action, within UNDO_SECONDS with the messages it removed. */
export interface Undo {
  stream_id: string;
  action_id: string;
}

/** Nothing is on top any more. */
export interface Unpin {
  stream_id: string;
}

/** Fine for who does not hear it. */
export interface UnwatchStudio {
}

/** Somebody in a room; `creator` is the broadcaster of this room, nobody else. `color` is `#rrggbb`. */
export interface User {
  id: string;
  name: string;
  role: "admin" | "creator" | "moderator" | "viewer" | "vip";
  subscriber?: boolean;
  color?: string | null;
}

/** One for each account; the second is refused. `choice` counts from 0. */
export interface Vote {
  stream_id: string;
  poll_id: string;
  choice: number;
}

/** The user must acknowledge `reason` before talking again. */
export interface Warn {
  stream_id: string;
  user_id: string;
  reason: string;
}

/** Hear `studio:video`. Fine for who does already. */
export interface WatchStudio {
}

/** One entry of a room's log. */
export type Entry = Message | Announcement | Gift | Moderation | SettingsChanged | RoleChanged | PinChanged | PollChanged | RaidChanged | Restored | Removed;

export interface ClientEvents {
  /** Enter a room, or recover in one you are in: what was missed, then everything that is said. */
  "room:join": (
    body: JoinRoom,
    answer: (answer: RoomJoined | Refusal<"internal" | "limit.rate" | "request.invalid" | "room.not_found" | "room.premium" | "room.too_many" | "service.unavailable">) => void,
  ) => void;
  /** Leave a room. */
  "room:leave": (
    body: LeaveRoom,
    answer: (answer: Answer | Refusal<"internal" | "limit.rate" | "request.invalid" | "service.unavailable">) => void,
  ) => void;
  /** Who is here: a page of the people who signed in, from all nodes, a few seconds old. */
  "room:chatters": (
    body: AskChatters,
    answer: (answer: Chatters | Refusal<"internal" | "limit.rate" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Say something. Once acknowledged it is in the room's log and never lost, or held for a moderator. */
  "chat:send": (
    body: SendMessage,
    answer: (answer: MessageSent | Refusal<"auth.required" | "chat.banned" | "chat.blocked" | "chat.emote_only" | "chat.followers_only" | "chat.not_unique" | "chat.read_only" | "chat.slow_mode" | "chat.subscribers_only" | "chat.text_invalid" | "chat.too_fast" | "chat.warned" | "internal" | "limit.rate" | "mod.message_gone" | "request.invalid" | "room.ended" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** A line that begins with a slash, as typed: the same as the event it stands for. */
  "chat:command": (
    body: Slash,
    answer: (answer: Acted | Refusal<"auth.required" | "chat.banned" | "chat.blocked" | "chat.emote_only" | "chat.followers_only" | "chat.not_unique" | "chat.read_only" | "chat.slow_mode" | "chat.subscribers_only" | "chat.text_invalid" | "chat.too_fast" | "chat.warned" | "command.malformed" | "command.unknown" | "internal" | "limit.rate" | "mod.already_so" | "mod.ambiguous_user" | "mod.message_gone" | "mod.not_allowed" | "mod.nothing_to_undo" | "mod.protected_user" | "mod.too_many" | "mod.unknown_user" | "poll.closed" | "poll.open" | "poll.voted" | "raid.target" | "request.invalid" | "room.ended" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Add to the room's reactions. */
  "chat:react": (
    body: React,
    answer: (answer: Answer | Refusal<"auth.required" | "chat.banned" | "chat.too_fast" | "internal" | "limit.rate" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Acknowledge a warning. */
  "chat:acknowledge": (
    body: Acknowledge,
    answer: (answer: Answer | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Vote, once. */
  "poll:vote": (
    body: Vote,
    answer: (answer: Answer | Refusal<"auth.required" | "chat.banned" | "internal" | "limit.rate" | "poll.closed" | "poll.voted" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Remove one message. */
  "mod:delete": (
    body: DeleteMessage,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.message_gone" | "mod.not_allowed" | "mod.protected_user" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Silence somebody for a while. */
  "mod:timeout": (
    body: Timeout,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "mod.protected_user" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Silence somebody for good. */
  "mod:ban": (
    body: Ban,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "mod.protected_user" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Lift a ban or a timeout. */
  "mod:unban": (
    body: Unban,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "mod.protected_user" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Warn somebody, who must acknowledge it. */
  "mod:warn": (
    body: Warn,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.not_allowed" | "mod.protected_user" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Remove everything said so far. */
  "mod:clear": (
    body: ClearChat,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Change the room's modes. */
  "mod:settings": (
    body: ChangeSettings,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Shield mode on or off. */
  "mod:shield": (
    body: Shield,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Pin a message. */
  "mod:pin": (
    body: PinMessage,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.message_gone" | "mod.not_allowed" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Unpin it. */
  "mod:unpin": (
    body: Unpin,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Say something that stands out. */
  "mod:announce": (
    body: Announce,
    answer: (answer: Acted | Refusal<"auth.required" | "chat.text_invalid" | "internal" | "limit.rate" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Take a held message to decide it. */
  "mod:claim": (
    body: ClaimHeld,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.held_claimed" | "mod.held_gone" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Let a held message through. */
  "mod:approve": (
    body: Approve,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.held_claimed" | "mod.held_gone" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Refuse a held message. */
  "mod:deny": (
    body: Deny,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.held_claimed" | "mod.held_gone" | "mod.not_allowed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Take the viewers to another channel. */
  "mod:raid": (
    body: StartRaid,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "raid.target" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Make somebody a VIP, or not. */
  "mod:vip": (
    body: MakeVip,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "mod.protected_user" | "mod.too_many" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Make somebody a moderator, or not. */
  "mod:moderator": (
    body: MakeModerator,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.already_so" | "mod.not_allowed" | "mod.protected_user" | "mod.too_many" | "mod.unknown_user" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Take an action back. */
  "mod:undo": (
    body: Undo,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.not_allowed" | "mod.nothing_to_undo" | "mod.protected_user" | "mod.too_many" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Open a poll. */
  "poll:open": (
    body: OpenPoll,
    answer: (answer: Acted | Refusal<"auth.required" | "chat.text_invalid" | "internal" | "limit.rate" | "mod.not_allowed" | "poll.open" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Close or cancel a poll. */
  "poll:close": (
    body: ClosePoll,
    answer: (answer: Acted | Refusal<"auth.required" | "internal" | "limit.rate" | "mod.not_allowed" | "poll.closed" | "request.invalid" | "room.not_joined" | "service.unavailable">) => void,
  ) => void;
  /** Hear how the making of one's own videos goes, until the socket closes. */
  "studio:watch": (
    body: WatchStudio,
    answer: (answer: Answer | Refusal<"auth.required" | "internal" | "limit.rate" | "request.invalid" | "service.unavailable">) => void,
  ) => void;
  /** Hear it no more. */
  "studio:unwatch": (
    body: UnwatchStudio,
    answer: (answer: Answer | Refusal<"internal" | "limit.rate" | "request.invalid" | "service.unavailable">) => void,
  ) => void;
}

export interface ServerEvents {
  /** What happened since the last frame, in the order of the room's log. */
  "chat": (body: Entry[]) => void;
  /** How many watch: at most once a second, and only when it changed. */
  "room:viewers": (body: RoomViewers) => void;
  /** The stream began, stopped, came back or ended, or has another title. */
  "room:status": (body: RoomStatus) => void;
  /** In a delayed chat: take these messages away before the entry says so. */
  "room:removed": (body: RoomRemoved) => void;
  /** What you are and may do here has changed. */
  "room:you": (body: RoomYou) => void;
  /** The votes of the open poll: at most once a second. */
  "room:poll": (body: RoomPoll) => void;
  /** New reactions, counted: at most once a second. */
  "room:reactions": (body: RoomReactions) => void;
  /** To its author: what became of a held message. */
  "chat:held": (body: ChatHeld) => void;
  /** To the desk: what a moderator did. */
  "mod:acted": (body: ModActed) => void;
  /** To the desk: the queue of held messages changed. */
  "mod:held": (body: ModHeld) => void;
  /** After `studio:watch`: one's own video came further, at most once a second for each. */
  "studio:video": (body: StudioVideo) => void;
  /** You may not be in the room any more, and are not. */
  "room:refused": (body: RoomRefused) => void;
  /** The room's log was lost or moved: join again. */
  "room:reset": (body: RoomReset) => void;
  /** You could not be reached fast enough and missed messages: join again with your position. */
  "room:lagged": (body: RoomLagged) => void;
  /** The last word before the server disconnects. */
  "session:closing": (body: SessionClosing) => void;
}

export type CommandArgumentKind = "user" | "duration" | "number" | "choice" | "text" | "quoted" | "message" | "action" | "color" | "command";

export type Capability = "chat" | "react" | "vote" | "skip_modes" | "links" | "moderate" | "settings" | "see_private" | "raid" | "appoint" | "own";

/** One thing a slash command takes: see `realtime/moderation/commands.py`. */
export interface CommandArgument {
  name: string;
  kind: CommandArgumentKind;
  optional: boolean;
  choices: string[];
  many: boolean;
}

/** A slash command; `capability` is what its user must have. */
export interface SlashCommand {
  name: string;
  aliases: string[];
  usage: string;
  summary: string;
  capability: Capability;
  args: CommandArgument[];
}

/** An emote that is there in every channel, written `:code:`; its picture is `/emotes/<code>.svg`. */
export interface BuiltinEmote {
  code: string;
  label: string;
  keywords: string[];
}

export const COMMANDS: SlashCommand[] = [
  {"name": "me", "aliases": [], "usage": "/me <text>", "summary": "Say what you do.", "capability": "chat", "args": [{"name": "text", "kind": "text", "optional": false, "choices": [], "many": false}]},
  {"name": "color", "aliases": ["colour"], "usage": "/color <color|default>", "summary": "Give your name a colour.", "capability": "chat", "args": [{"name": "color", "kind": "color", "optional": false, "choices": ["default"], "many": false}]},
  {"name": "vote", "aliases": [], "usage": "/vote <number>", "summary": "Vote in the poll, by the number of your choice.", "capability": "vote", "args": [{"name": "number", "kind": "number", "optional": false, "choices": [], "many": false}]},
  {"name": "help", "aliases": ["commands"], "usage": "/help [command]", "summary": "What you can do here.", "capability": "chat", "args": [{"name": "command", "kind": "command", "optional": true, "choices": [], "many": false}]},
  {"name": "ban", "aliases": [], "usage": "/ban <user> [reason]", "summary": "Silence somebody for good and remove what they said.", "capability": "moderate", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "reason", "kind": "text", "optional": true, "choices": [], "many": false}]},
  {"name": "unban", "aliases": [], "usage": "/unban <user> [reason]", "summary": "Lift a ban.", "capability": "moderate", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "reason", "kind": "text", "optional": true, "choices": [], "many": false}]},
  {"name": "timeout", "aliases": [], "usage": "/timeout <user> [duration] [reason]", "summary": "Silence somebody for a while (10 minutes) and remove what they said.", "capability": "moderate", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "duration", "kind": "duration", "optional": true, "choices": [], "many": false}, {"name": "reason", "kind": "text", "optional": true, "choices": [], "many": false}]},
  {"name": "untimeout", "aliases": [], "usage": "/untimeout <user> [reason]", "summary": "Lift a timeout.", "capability": "moderate", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "reason", "kind": "text", "optional": true, "choices": [], "many": false}]},
  {"name": "warn", "aliases": [], "usage": "/warn <user> <reason>", "summary": "Warn somebody, who must acknowledge it.", "capability": "moderate", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "reason", "kind": "text", "optional": false, "choices": [], "many": false}]},
  {"name": "delete", "aliases": [], "usage": "/delete <user> [message id]", "summary": "Remove somebody's message: the last one, or that of an id.", "capability": "moderate", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "message id", "kind": "message", "optional": true, "choices": [], "many": false}]},
  {"name": "vip", "aliases": [], "usage": "/vip <user>", "summary": "Make somebody a VIP.", "capability": "appoint", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}]},
  {"name": "unvip", "aliases": [], "usage": "/unvip <user>", "summary": "Somebody is no VIP any more.", "capability": "appoint", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}]},
  {"name": "mod", "aliases": [], "usage": "/mod <user>", "summary": "Make somebody a moderator.", "capability": "appoint", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}]},
  {"name": "unmod", "aliases": [], "usage": "/unmod <user>", "summary": "Somebody is no moderator any more.", "capability": "appoint", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}]},
  {"name": "approve", "aliases": [], "usage": "/approve [held id]", "summary": "Let a held message through: the one you claimed, or that of an id.", "capability": "moderate", "args": [{"name": "held id", "kind": "action", "optional": true, "choices": [], "many": false}]},
  {"name": "deny", "aliases": [], "usage": "/deny [held id] [reason]", "summary": "Refuse a held message: the one you claimed, or that of an id.", "capability": "moderate", "args": [{"name": "held id", "kind": "action", "optional": true, "choices": [], "many": false}, {"name": "reason", "kind": "text", "optional": true, "choices": [], "many": false}]},
  {"name": "undo", "aliases": [], "usage": "/undo [action id]", "summary": "Take back what you did last, or the action of an id.", "capability": "moderate", "args": [{"name": "action id", "kind": "action", "optional": true, "choices": [], "many": false}]},
  {"name": "clear", "aliases": [], "usage": "/clear [reason]", "summary": "Remove everything said so far.", "capability": "moderate", "args": [{"name": "reason", "kind": "text", "optional": true, "choices": [], "many": false}]},
  {"name": "slow", "aliases": [], "usage": "/slow [duration|off]", "summary": "Each may write once in so many seconds (30).", "capability": "settings", "args": [{"name": "duration", "kind": "duration", "optional": true, "choices": ["off"], "many": false}]},
  {"name": "slowoff", "aliases": [], "usage": "/slowoff", "summary": "No slow mode.", "capability": "settings", "args": []},
  {"name": "followers", "aliases": ["followersonly"], "usage": "/followers [duration|off]", "summary": "Only followers may write, of so long (0).", "capability": "settings", "args": [{"name": "duration", "kind": "duration", "optional": true, "choices": ["off"], "many": false}]},
  {"name": "followersoff", "aliases": ["followersonlyoff"], "usage": "/followersoff", "summary": "Not only followers may write.", "capability": "settings", "args": []},
  {"name": "subscribers", "aliases": ["subscribersonly"], "usage": "/subscribers [on|off]", "summary": "Only subscribers may write.", "capability": "settings", "args": [{"name": "switch", "kind": "choice", "optional": true, "choices": ["on", "off"], "many": false}]},
  {"name": "subscribersoff", "aliases": ["subscribersonlyoff"], "usage": "/subscribersoff", "summary": "Not only subscribers may write.", "capability": "settings", "args": []},
  {"name": "emoteonly", "aliases": [], "usage": "/emoteonly [on|off]", "summary": "Only emotes may be sent.", "capability": "settings", "args": [{"name": "switch", "kind": "choice", "optional": true, "choices": ["on", "off"], "many": false}]},
  {"name": "emoteonlyoff", "aliases": [], "usage": "/emoteonlyoff", "summary": "Not only emotes may be sent.", "capability": "settings", "args": []},
  {"name": "uniquechat", "aliases": ["r9k"], "usage": "/uniquechat [on|off]", "summary": "Nothing may be said twice.", "capability": "settings", "args": [{"name": "switch", "kind": "choice", "optional": true, "choices": ["on", "off"], "many": false}]},
  {"name": "uniquechatoff", "aliases": ["r9koff"], "usage": "/uniquechatoff", "summary": "Things may be said twice.", "capability": "settings", "args": []},
  {"name": "delay", "aliases": [], "usage": "/delay <0|2|4|6|off>", "summary": "Moderators see messages so many seconds before all others.", "capability": "settings", "args": [{"name": "seconds", "kind": "choice", "optional": false, "choices": ["0", "2", "4", "6", "off"], "many": false}]},
  {"name": "delayoff", "aliases": [], "usage": "/delayoff", "summary": "All see messages at once.", "capability": "settings", "args": []},
  {"name": "readonly", "aliases": [], "usage": "/readonly [on|off]", "summary": "Only moderators may write.", "capability": "settings", "args": [{"name": "switch", "kind": "choice", "optional": true, "choices": ["on", "off"], "many": false}]},
  {"name": "readonlyoff", "aliases": [], "usage": "/readonlyoff", "summary": "Not only moderators may write.", "capability": "settings", "args": []},
  {"name": "shield", "aliases": [], "usage": "/shield [on|off]", "summary": "The strictest of everything, with one switch.", "capability": "settings", "args": [{"name": "switch", "kind": "choice", "optional": true, "choices": ["on", "off"], "many": false}]},
  {"name": "shieldoff", "aliases": [], "usage": "/shieldoff", "summary": "Shield mode off.", "capability": "settings", "args": []},
  {"name": "pin", "aliases": [], "usage": "/pin <user> [message id] [duration]", "summary": "Put somebody's message on top for a while (20 minutes): the last one, or that of an id.", "capability": "moderate", "args": [{"name": "user", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "message id", "kind": "message", "optional": true, "choices": [], "many": false}, {"name": "duration", "kind": "duration", "optional": true, "choices": [], "many": false}]},
  {"name": "unpin", "aliases": [], "usage": "/unpin", "summary": "Nothing is on top any more.", "capability": "moderate", "args": []},
  {"name": "announce", "aliases": [], "usage": "/announce <text>", "summary": "Say something that stands out.", "capability": "moderate", "args": [{"name": "text", "kind": "text", "optional": false, "choices": [], "many": false}]},
  {"name": "announceblue", "aliases": [], "usage": "/announceblue <text>", "summary": "Say something that stands out in blue.", "capability": "moderate", "args": [{"name": "text", "kind": "text", "optional": false, "choices": [], "many": false}]},
  {"name": "announcegreen", "aliases": [], "usage": "/announcegreen <text>", "summary": "Say something that stands out in green.", "capability": "moderate", "args": [{"name": "text", "kind": "text", "optional": false, "choices": [], "many": false}]},
  {"name": "announceorange", "aliases": [], "usage": "/announceorange <text>", "summary": "Say something that stands out in orange.", "capability": "moderate", "args": [{"name": "text", "kind": "text", "optional": false, "choices": [], "many": false}]},
  {"name": "announcepurple", "aliases": [], "usage": "/announcepurple <text>", "summary": "Say something that stands out in purple.", "capability": "moderate", "args": [{"name": "text", "kind": "text", "optional": false, "choices": [], "many": false}]},
  {"name": "raid", "aliases": [], "usage": "/raid <channel> [duration]", "summary": "Take the viewers to another live channel, after so many seconds (10).", "capability": "raid", "args": [{"name": "channel", "kind": "user", "optional": false, "choices": [], "many": false}, {"name": "duration", "kind": "duration", "optional": true, "choices": [], "many": false}]},
  {"name": "unraid", "aliases": [], "usage": "/unraid", "summary": "The viewers stay.", "capability": "raid", "args": []},
  {"name": "poll", "aliases": [], "usage": "/poll <\"question\"> <\"choice\"> ... [duration]", "summary": "Ask the room: a question, 2 to 5 choices, and for how long (1 minute).", "capability": "settings", "args": [{"name": "question", "kind": "quoted", "optional": false, "choices": [], "many": false}, {"name": "choice", "kind": "quoted", "optional": false, "choices": [], "many": true}, {"name": "duration", "kind": "duration", "optional": true, "choices": [], "many": false}]},
  {"name": "endpoll", "aliases": [], "usage": "/endpoll", "summary": "Close the poll with what was voted.", "capability": "settings", "args": []},
  {"name": "cancelpoll", "aliases": ["deletepoll"], "usage": "/cancelpoll", "summary": "Close the poll; it counts for nothing.", "capability": "settings", "args": []},
];

export const BUILTIN_EMOTES: BuiltinEmote[] = [
  {"code": "smile", "label": "Smiling", "keywords": ["happy", "good", "nice"]},
  {"code": "laugh", "label": "Laughing", "keywords": ["lol", "funny", "haha"]},
  {"code": "wink", "label": "Winking", "keywords": ["joke", "hint"]},
  {"code": "love", "label": "In love", "keywords": ["adore", "hearts", "eyes"]},
  {"code": "wow", "label": "Amazed", "keywords": ["surprise", "shock", "oh"]},
  {"code": "think", "label": "Thinking", "keywords": ["hmm", "doubt", "question"]},
  {"code": "sad", "label": "Sad", "keywords": ["cry", "tear", "sorry"]},
  {"code": "cool", "label": "Cool", "keywords": ["sunglasses", "easy"]},
  {"code": "sleepy", "label": "Sleepy", "keywords": ["tired", "night", "boring"]},
  {"code": "wave", "label": "Waving", "keywords": ["hello", "hi", "bye"]},
  {"code": "heart", "label": "Heart", "keywords": ["love", "like"]},
  {"code": "fire", "label": "Fire", "keywords": ["hot", "great", "lit"]},
  {"code": "star", "label": "Star", "keywords": ["best", "favourite", "gold"]},
  {"code": "party", "label": "Party", "keywords": ["celebrate", "confetti", "hooray"]},
  {"code": "popcorn", "label": "Popcorn", "keywords": ["watch", "film", "drama"]},
  {"code": "spotlight", "label": "Spotlight", "keywords": ["stage", "show", "light"]},
];
