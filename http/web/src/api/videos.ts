/** The calls and shapes of docs/api.md about videos. */
import { call } from "./client";
import type { Stream } from "./types";

type Signal = AbortSignal | undefined;

export type Visibility = "public" | "unlisted" | "premium" | "private";
export type VideoStatus = "uploading" | "processing" | "ready" | "failed" | "deleting";

export interface Captions {
  language: string;
  label: string;
}

export interface Failure {
  code: string;
  message: string;
  retryable: boolean;
  at: string;
}

export interface Video {
  id: string;
  title: string;
  description: string;
  tags: string[];
  category: string | null;
  creator: { id: string; display_name: string };
  visibility: Visibility;
  status: VideoStatus;
  playable: boolean;
  playback_urls: { resolution: string }[];
  captions: Captions[];
  metadata: { duration: number; file_size: number; thumbnails: string[]; width: number; height: number; fps: number };
  view_count: number;
  like_count: number;
  recording: { stream_id: string } | null;
  created_at: string;
  published_at: string | null;
  failure?: Failure | null;
  liked?: boolean;
  resume_seconds?: number;
}

export interface VideoPage {
  videos: Video[];
  next_cursor: string | null;
}

/** How the making of a video goes: the socket's `studio:video`. */
export interface VideoMaking {
  video_id: string;
  status: "uploading" | "processing" | "ready" | "failed";
  stage: "queued" | "checking" | "encoding" | "finishing" | "done" | "failed";
  done: number;
  eta_seconds: number | null;
  playable: boolean;
  attempt: number;
  message: string | null;
}

const at = (id: string) => `/videos/${encodeURIComponent(id)}`;

function query(wanted: Record<string, string | number | boolean | null | undefined>): string {
  const asked = Object.entries(wanted).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return asked.length ? `?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}` : "";
}

// --- find and see

export const newestVideos = (wanted: { creator?: string; cursor?: string | null; limit?: number } = {}, signal?: Signal) =>
  call<VideoPage>(`/videos${query(wanted)}`, { signal });
export const myVideos = (wanted: { status?: VideoStatus | null; cursor?: string | null } = {}, signal?: Signal) =>
  call<VideoPage>(`/videos/mine${query(wanted)}`, { signal });
export const fetchVideo = (id: string, signal?: Signal) => call<Video>(at(id), { signal });

export interface Creator {
  id: string;
  display_name: string;
  followers: number;
  live: Stream | null;
  videos: number;
}

export const fetchCreator = (id: string, signal?: Signal) => call<Creator>(`/creators/${encodeURIComponent(id)}`, { signal });

// --- change

export interface VideoChange {
  title?: string;
  description?: string;
  tags?: string[];
  category?: string | null;
  visibility?: Visibility;
}

export const changeVideo = (id: string, body: VideoChange) => call<Video>(at(id), { method: "PATCH", body });
export const deleteVideo = (id: string) => call<void>(at(id), { method: "DELETE" });
export const retryVideo = (id: string) => call<Video>(`${at(id)}/retry`, { method: "POST" });
export const putCaptions = (id: string, language: string, label: string, file: File) =>
  call<Video>(`${at(id)}/captions/${encodeURIComponent(language)}${query({ label })}`, { method: "PUT", file, type: "text/vtt" });
export const deleteCaptions = (id: string, language: string) =>
  call<Video>(`${at(id)}/captions/${encodeURIComponent(language)}`, { method: "DELETE" });
export const putPoster = (id: string, file: File) => call<Video>(`${at(id)}/poster`, { method: "PUT", file, type: file.type });

export const likeVideo = (id: string, liked: boolean) =>
  call<{ liked: boolean; like_count: number }>(`${at(id)}/like`, { method: liked ? "PUT" : "DELETE" });

// --- watch

export interface PlaybackAnswer {
  manifest_url: string;
  expires_at: string;
  renew_seconds: number;
  resume_seconds: number | null;
  duration_seconds: number;
  storyboard_url: string | null;
  captions: (Captions & { url: string })[];
  status: VideoStatus;
}

export interface BeatAnswer {
  expires_at: string;
  renew_seconds: number;
  counted: boolean;
}

export const fetchPlayback = (id: string, signal?: Signal) => call<PlaybackAnswer>(`${at(id)}/playback`, { signal });
export const beat = (id: string, body: { position_seconds: number; playing: boolean; device: string }, last = false) =>
  call<BeatAnswer>(`${at(id)}/watch`, { method: "POST", body, keepalive: last });

export interface ReplayLine {
  at_seconds: number;
  entry: Record<string, unknown>;
}

export const fetchReplay = (id: string, wanted: { from_seconds?: number; cursor?: string | null; limit?: number }, signal?: Signal) =>
  call<{ lines: ReplayLine[]; next_cursor: string | null; revision: number }>(`${at(id)}/chat${query(wanted)}`, { signal });

// --- history

export interface HistoryEntry {
  video: Video;
  position_seconds: number;
  finished: boolean;
  watched_at: string;
}

export const fetchHistory = (cursor?: string | null, signal?: Signal) =>
  call<{ entries: HistoryEntry[]; next_cursor: string | null }>(`/history${query({ cursor })}`, { signal });
export const forgetHistory = (videoId?: string) =>
  call<void>(videoId ? `/history/${encodeURIComponent(videoId)}` : "/history", { method: "DELETE" });

// --- search

export interface SearchWanted {
  q?: string;
  creator?: string;
  category?: string;
  premium?: boolean | null;
  min_seconds?: number | null;
  max_seconds?: number | null;
  from?: string | null;
  to?: string | null;
  sort?: "relevance" | "newest" | "views";
  cursor?: string | null;
  limit?: number;
}

export interface Piece {
  text: string;
  match: boolean;
}

export interface SearchResult {
  video: Video;
  highlights: { title?: Piece[]; description?: Piece[] };
}

export const searchVideos = (wanted: SearchWanted, signal?: Signal) =>
  call<{ results: SearchResult[]; total: number; next_cursor: string | null }>(`/videos/search${query({ ...wanted })}`, { signal });
export const suggest = (q: string, signal?: Signal) =>
  call<{ suggestions: { text: string; video_id: string | null }[] }>(`/videos/suggest${query({ q })}`, { signal });

// --- upload

export interface NewUpload {
  title: string;
  file_name: string;
  size_bytes: number;
  content_type: string | null;
}

export interface Upload {
  state: "open" | "stored" | "aborted";
  file_name: string;
  part_bytes: number;
  parts: number;
  size_bytes: number;
  received: { number: number; size_bytes: number; sha256: string | null }[];
  expires_at: string;
}

export interface UploadUrl {
  number: number;
  url: string;
  headers: Record<string, string>;
}

export interface Quota {
  used_bytes: number;
  limit_bytes: number;
}

/** `key`: sent again after a lost answer, the same upload is answered and not a second one opened. */
export const openUpload = (body: NewUpload, key: string) =>
  call<{ video: Video; upload: Upload }>("/videos", { method: "POST", body, headers: { "idempotency-key": key } });
export const uploadState = (id: string, signal?: Signal) => call<Upload>(`${at(id)}/upload`, { signal });
export const signParts = (id: string, parts: { number: number; sha256: string }[], signal?: Signal) =>
  call<{ urls: UploadUrl[] }>(`${at(id)}/upload/parts`, { method: "POST", body: { parts }, signal });
/** Checking a large file takes a while. */
export const completeUpload = (id: string) => call<Video>(`${at(id)}/complete`, { method: "POST", body: {}, timeoutMs: 60_000 });
export const abortUpload = (id: string) => call<void>(`${at(id)}/upload`, { method: "DELETE" });
export const unfinishedUploads = (signal?: Signal) =>
  call<{ uploads: { video: Video; upload: Upload }[]; quota: Quota }>("/uploads", { signal });
