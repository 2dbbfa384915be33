/** What every column of one channel needs. */
import { createContext, useContext } from "react";
import type { Channel, Done } from "../api/channels";
import type { LiveRoom } from "../realtime/useRoom";
import type { Command, Question } from "./deeds";
import type { ColumnName } from "./layout";
import type { News } from "./speech";

export interface Somebody {
  id: string;
  name: string;
}

export interface ChannelDesk {
  id: string;
  info: Channel;
  myId: string | null;
  may: (capability: string) => boolean;
  /** Null while nothing is live; `room.joined` says whether it is in step. */
  live: LiveRoom | null;
  /** By the room when it is joined, else over HTTP; what can be undone is offered. Rejects with the refusal. */
  run: (command: Command) => Promise<Done>;
  ask: (question: Question, column: ColumnName) => void;
  openCard: (person: Somebody) => void;
  tell: (news: News) => void;
}

const Context = createContext<ChannelDesk | null>(null);
export const ChannelProvider = Context.Provider;

export function useChannel(): ChannelDesk {
  const channel = useContext(Context);
  if (!channel) throw new Error("useChannel needs a ChannelProvider above it");
  return channel;
}
