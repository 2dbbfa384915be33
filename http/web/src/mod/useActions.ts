/** Commands of one channel: by its room when that is in step, else over HTTP; and what became of them. */
import { useCallback, useRef, useState, type RefObject } from "react";
import { command as overHttp, type Done } from "../api/channels";
import { asApiError, offlineError } from "../api/errors";
import type { ClientEvents } from "../realtime/events";
import type { LiveRoom } from "../realtime/useRoom";
import type { Command } from "./deeds";

export interface Actions {
  run: (command: Command) => Promise<Done>;
  /** Ids of messages whose removal was asked for and not answered yet. */
  going: ReadonlySet<string>;
  /** The same, with the message shown as going at once and back again if refused. */
  runOn: (messageId: string, command: Command) => Promise<Done>;
}

export function useActions(channelId: string, live: RefObject<LiveRoom | null>, onDone: (done: Done, command: Command) => void): Actions {
  const [going, setGoing] = useState<ReadonlySet<string>>(new Set());
  const told = useRef(onDone);
  told.current = onDone;

  const run = useCallback(
    async (command: Command): Promise<Done> => {
      const room = live.current;
      const inStep = room !== null && room.room.joined && room.link === "connected";
      if (!inStep && ROOM_ONLY.has(command.type)) throw offlineError();
      const done = inStep ? await overSocket(room, command) : await overHttp(channelId, command.type, command.body);
      told.current(done, command);
      return done;
    },
    [channelId, live],
  );
  const runOn = useCallback(
    async (messageId: string, command: Command) => {
      setGoing((before) => new Set([...before, messageId]));
      try {
        return await run(command);
      } finally {
        setGoing((before) => new Set([...before].filter((id) => id !== messageId)));
      }
    },
    [run],
  );
  return { run, going, runOn };
}

/** Only a room has these; without it they cannot be sent another way. */
const ROOM_ONLY = new Set(["claim", "approve", "deny", "slash", "raid"]);

async function overSocket(live: LiveRoom, { type, body }: Command): Promise<Done> {
  const event = (type === "slash" ? "chat:command" : `mod:${type}`) as keyof ClientEvents;
  // The table of deeds makes bodies that fit their events; the server checks them once more.
  return (await live.act(event, body as never)) as unknown as Done;
}

export const refusalOf = (thrown: unknown) => asApiError(thrown).message;
