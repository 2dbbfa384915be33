/** Every call of the API this client makes, by name. */
import { call } from "./client";
import type { Health, Ingest, Latency, SessionAnswer, Stream, StreamTimeline, User } from "./types";

type Signal = AbortSignal | undefined;

export const signUp = (body: { email: string; password: string; display_name: string }) =>
  call<SessionAnswer>("/auth/signup", { method: "POST", body, refresh: false });
export const signIn = (body: { email: string; password: string }) =>
  call<SessionAnswer>("/auth/login", { method: "POST", body, refresh: false });
export const signOut = () => call<void>("/auth/logout", { method: "POST", refresh: false });
export const fetchMe = () => call<User>("/auth/me");
export const rename = (display_name: string) => call<User>("/auth/me", { method: "PATCH", body: { display_name } });
export const changePassword = (current_password: string, new_password: string) =>
  call<SessionAnswer>("/auth/password", { method: "POST", body: { current_password, new_password } });
export const becomeCreator = () => call<SessionAnswer>("/auth/creator", { method: "POST" });

export interface StreamPage {
  streams: Stream[];
  next_cursor: string | null;
}

export interface NewStream {
  title: string;
  category: string | null;
  latency: Latency;
  record: boolean;
  visibility: "public" | "premium";
}

export const liveStreams = (signal?: Signal, cursor?: string) =>
  call<StreamPage>(`/streams?limit=24${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, { signal });
export const fetchStream = (id: string, signal?: Signal) => call<Stream>(`/streams/${encodeURIComponent(id)}`, { signal });
export const fetchManifest = (id: string, signal?: Signal) =>
  call<{ url: string; renew_seconds: number }>(`/streams/${encodeURIComponent(id)}/manifest`, { signal });
export const myStream = (signal?: Signal) => call<{ stream: Stream | null; health: Health | null }>("/streams/mine", { signal });
export const startStream = ({ category, ...stream }: NewStream) =>
  call<Stream & { ingest: Ingest }>("/streams/start", { method: "POST", body: category ? { ...stream, category } : stream });
export const stopStream = (id: string) => call<Stream>(`/streams/${encodeURIComponent(id)}/stop`, { method: "POST" });
export const newKey = (id: string) => call<{ ingest: Ingest }>(`/streams/${encodeURIComponent(id)}/key`, { method: "POST" });
export const describeStream = (id: string, body: { title: string; category: string | null }) =>
  call<Stream>(`/streams/${encodeURIComponent(id)}`, { method: "PATCH", body });
/** All of it in at most `points` samples, or what came `from` a moment on. */
export const fetchTimeline = (id: string, { from, points }: { from: string | null; points: number }, signal?: Signal) =>
  call<StreamTimeline>(`/streams/${encodeURIComponent(id)}/timeline?points=${points}${from ? `&from=${encodeURIComponent(from)}` : ""}`, { signal });
