/**
 * What to do when the connection ends or is about to. The server's last word decides, or, when it did not arrive, the
 * close code; for a code this client has never heard of, its range does. Anything else is a lost connection: come back.
 */
import { DISCONNECTS, type SessionClosing } from "./events";

export const FIRST_TO_STAY_AWAY = 4500;
export const LAST_TO_STAY_AWAY = 4999;

export type Next =
  | { do: "stay away"; because: string }
  | { do: "refresh" }
  | { do: "come back"; afterMs: number };

/** Of any release: a code may be one that this client does not know. */
type LastWord = Partial<Omit<SessionClosing, "code">> & Pick<SessionClosing, "number" | "message"> & { code: string };

export function whatNext(last: LastWord | null, closeCode?: number): Next {
  const number = last?.number ?? closeCode ?? 0;
  const known = Object.entries(DISCONNECTS).find(([, one]) => one.number === number);
  const code = last?.code ?? known?.[0];
  const staysAway = last?.reconnect === false || (number >= FIRST_TO_STAY_AWAY && number <= LAST_TO_STAY_AWAY);
  if (staysAway) return { do: "stay away", because: last?.message ?? known?.[1].message ?? "The server ended this connection." };
  if (code === "auth.token_expired") return { do: "refresh" };
  return { do: "come back", afterMs: last?.delay_ms ?? 0 };
}

/** The close code of a WebSocket, from what socket.io-client says about a disconnect; undefined when it says nothing. */
export function closeCodeOf(details: unknown): number | undefined {
  const context = isRecord(details) ? details["context"] : null;
  const code = isRecord(context) ? context["code"] : undefined;
  return typeof code === "number" ? code : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
