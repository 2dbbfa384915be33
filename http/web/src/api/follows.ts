/** What a viewer asks of a channel: to follow it, and to be let back in. */
import { call } from "./client";
import type { UnbanRequest } from "./channels";

const at = (channelId: string, path: string) => `/channels/${encodeURIComponent(channelId)}${path}`;

export const follow = (channelId: string) => call<{ following_since: number }>(at(channelId, "/follow"), { method: "PUT" });
export const unfollow = (channelId: string) => call<void>(at(channelId, "/follow"), { method: "DELETE" });
export const askUnban = (channelId: string, text: string) => call<UnbanRequest>(at(channelId, "/unban-requests"), { method: "POST", body: { text } });
export const myUnbanRequests = (channelId: string, signal?: AbortSignal) =>
  call<{ requests: UnbanRequest[] }>(at(channelId, "/unban-requests/mine"), { signal });
