/** Who is signed in, for every page. */
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { fetchMe, signOut as callSignOut } from "../api/calls";
import { rememberSignedIn, whenSessionIsOver } from "../api/client";
import { asApiError } from "../api/errors";
import type { SessionAnswer, User } from "../api/types";
import { backoffMs } from "../realtime/backoff";
import { reconnectAs } from "../realtime/socket";

interface Session {
  /** undefined while it is not known yet. */
  user: User | null | undefined;
  /** After sign-up, sign-in or a change of role: the cookies are set, this is who they name. */
  begin: (answer: SessionAnswer) => void;
  update: (user: User) => void;
  /** Counts how often it was asked who this is: after each time, what was refused may be open. */
  rights: number;
  /** Something was bought or is over: ask anew who this is, in all tabs, and come back to rooms that were closed. */
  renew: () => Promise<void>;
  signOut: () => Promise<void>;
}

const SessionContext = createContext<Session | null>(null);
const CHANNEL = "footlight.session";
/** Attempts without an answer before pages are shown as to a stranger. */
const PATIENCE = 3;

export function SessionProvider({ children }: { children: ReactNode }) {
  const [user, setUser] = useState<User | null | undefined>(undefined);
  const [rights, setRights] = useState(0);
  // What is posted on the channel one listens with is heard by the other tabs alone.
  const others = useRef<BroadcastChannel | null>(null);

  const tellOtherTabs = useCallback(() => others.current?.postMessage("changed"), []);

  const retry = useRef<ReturnType<typeof setTimeout>>(undefined);
  const load = useCallback(async (attempt = 0) => {
    clearTimeout(retry.current);
    try {
      setUser(await fetchMe());
      rememberSignedIn(true);
      setRights((count) => count + 1);
    } catch (thrown) {
      const { status, retryAfterMs } = asApiError(thrown);
      if (status === 401) {
        rememberSignedIn(false);
        setUser(null);
        return;
      }
      // Without an answer nobody knows. Who was signed in is; a page that waits to know may be shown after a while.
      retry.current = setTimeout(() => void load(attempt + 1), retryAfterMs ?? backoffMs(attempt));
      if (attempt >= PATIENCE) setUser((known) => known ?? null);
    }
  }, []);

  useEffect(() => {
    whenSessionIsOver(() => setUser(null));
    void load();
    const channel = new BroadcastChannel(CHANNEL);
    others.current = channel;
    channel.onmessage = () => void load().then(reconnectAs);
    return () => {
      others.current = null;
      channel.close();
      clearTimeout(retry.current);
    };
  }, [load]);

  const session = useMemo<Session>(
    () => ({
      user,
      begin: (answer) => {
        rememberSignedIn(true);
        setUser(answer.user);
        reconnectAs();
        tellOtherTabs();
      },
      update: setUser,
      rights,
      renew: async () => {
        await load();
        reconnectAs();
        tellOtherTabs();
      },
      signOut: async () => {
        await callSignOut();
        rememberSignedIn(false);
        setUser(null);
        reconnectAs();
        tellOtherTabs();
      },
    }),
    [user, rights, load, tellOtherTabs],
  );
  return <SessionContext value={session}>{children}</SessionContext>;
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession needs a SessionProvider above it");
  return session;
}
