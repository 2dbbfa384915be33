/** The shapes of docs/api.md, as the browser sees them. Those of docs/events.md are in realtime/events.ts. */

export type Role = "free" | "premium" | "creator" | "admin";

export interface User {
  id: string;
  email: string;
  display_name: string;
  role: Role;
  subscription_tier: "free" | "premium";
  created_at: string;
  /** Channels whose subscription one has, bought or given: the creator's id and the level. */
  channels?: Record<string, number>;
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
  peak_viewers: number;
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

export interface ErrorBody {
  code: string;
  message: string;
  details?: Record<string, unknown>;
}

export interface StreamSample {
  at: string;
  viewers: number;
  peak: number;
  messages: number | null;
  actions: number;
  followers: number;
  bitrate_kbps: number | null;
  fps: number | null;
  status: StreamStatus;
}

export interface StreamMark {
  at: string;
  kind: "went_live" | "interrupted" | "resumed" | "described" | "ended" | "raid" | "moderation_burst";
  text: string;
}

export interface StreamTimeline {
  samples: StreamSample[];
  marks: StreamMark[];
  step_seconds: number;
}
