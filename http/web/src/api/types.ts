/** The shapes of docs/api.md and docs/events.md, as the browser sees them. */

export type Role = "free" | "premium" | "creator" | "admin";

export interface User {
  id: string;
  email: string;
  display_name: string;
  role: Role;
  subscription_tier: "free" | "premium";
  created_at: string;
}

export interface SessionAnswer {
  user: User;
  expires_in: number;
}

export type StreamStatus = "created" | "live" | "interrupted" | "ended";
export type Latency = "low" | "standard";

export interface Stream {
  id: string;
  title: string;
  category: string | null;
  latency: Latency;
  status: StreamStatus;
  creator: { id: string; display_name: string };
  viewers: number;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
}

export interface Ingest {
  url: string;
  key: string;
}

export interface Health {
  bitrate_kbps: number | null;
  fps: number | null;
  keyframe_interval_seconds: number | null;
  width: number | null;
  height: number | null;
  video_codec: string | null;
  audio_codec: string | null;
  drift_ms: number | null;
  connected_at: string | null;
  warnings: { code: string; message: string }[];
}

export type ChatRole = "viewer" | "creator" | "admin";

export interface ChatUser {
  id: string;
  name: string;
  role: ChatRole;
}

export interface Entry {
  stream_id: string;
  offset: number;
  kind: string;
  id: string;
  user: ChatUser;
  text: string;
  at: number;
}

export interface RoomSettings {
  slow_seconds: number;
  max_length: number;
}

export interface RoomMe {
  user: ChatUser | null;
  may_chat: boolean;
}

export interface RoomStream {
  id: string;
  title: string;
  category: string | null;
  status: StreamStatus;
  creator: { id: string; display_name: string };
}

export interface JoinAnswer {
  epoch: string | number;
  offset: number;
  recovered: boolean;
  entries: Entry[];
  stream: RoomStream;
  viewers: number;
  settings: RoomSettings;
  me: RoomMe;
}

export interface RoomStatus {
  stream_id: string;
  status: StreamStatus;
  at: number;
  title?: string;
  category?: string | null;
  reason?: string;
}

export interface ErrorBody {
  code: string;
  message: string;
  details?: Record<string, unknown>;
}
