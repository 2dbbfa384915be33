/** What was said while it was live, at the moments it was said. */
import { useEffect, useRef, useState } from "react";
import { fetchReplay, type ReplayLine } from "../api/videos";
import { SaidLine, type Look } from "../chat/ChatLine";
import { useEmotes } from "../chat/useEmotes";
import { useShownTheme } from "../chat/useShownTheme";
import type { Said } from "../realtime/fold";
import { useSession } from "../session/SessionProvider";
import { begun, extended, linesAt, nextFor, type Fetched } from "./replay";
import "../chat/chat.css";

/** Whether something was removed since is asked so often while the video is looked at. */
const CHECK_MS = 10_000;
const RETRY_MS = 5_000;

export function ChatReplay({ videoId, channelId, position }: { videoId: string; channelId: string; position: number }) {
  const { lines, failed, loading } = useReplay(videoId, position);
  const { user } = useSession();
  const theme = useShownTheme();
  const { byCode: emotes } = useEmotes(channelId);
  const look: Look = { myId: user?.id ?? null, myName: user?.display_name ?? null, theme, emotes };
  const list = useFollowed(lines);
  return (
    <section className="replay" aria-labelledby="replay-heading" data-testid="replay">
      <header><h2 id="replay-heading">Chat, as it was said</h2></header>
      <ul ref={list} className="replay-lines" tabIndex={0} aria-label="Chat messages" data-testid="replay-lines">
        {lines.map((line) => <SaidLine key={keyOf(line)} line={line.entry as unknown as Said} look={look} order={0} />)}
        {lines.length === 0 && <li className="replay-quiet muted small">{failed ? "The chat cannot be loaded just now. It is tried again." : loading ? "Loading" : "Nobody has said anything yet."}</li>}
      </ul>
    </section>
  );
}

const keyOf = ({ at_seconds, entry }: ReplayLine) => String(entry["id"] ?? `${at_seconds} ${String(entry["offset"])}`);

function useReplay(videoId: string, position: number): { lines: readonly ReplayLine[]; failed: boolean; loading: boolean } {
  const [known, setKnown] = useState<Fetched | null>(null);
  const [failed, setFailed] = useState(false);
  const [check, setCheck] = useState(0);
  const [again, setAgain] = useState(0);
  const asking = useRef(false);
  const blockedUntil = useRef(0);
  const seconds = Math.floor(position);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setCheck((count) => count + 1), CHECK_MS);
    return () => clearInterval(timer);
  }, []);
  // Removals that came later: ask for the beginning of what is shown, and begin anew when it is of another revision.
  useEffect(() => {
    if (!known || check === 0) return;
    fetchReplay(videoId, { from_seconds: known.from, limit: 1 }).then((page) => page.revision !== known.revision && setKnown(null), () => undefined);
  }, [check]);
  useEffect(() => {
    const next = nextFor(known, seconds);
    if (!next || asking.current || Date.now() < blockedUntil.current) return;
    asking.current = true;
    const asked = next.ask === "from" ? fetchReplay(videoId, { from_seconds: next.seconds, limit: 200 }) : fetchReplay(videoId, { cursor: next.cursor, limit: 200 });
    asked
      .then((page) => {
        setFailed(false);
        setKnown((before) => (next.ask === "more" && before ? extended(before, page) : begun(page, next.ask === "from" ? next.seconds : 0)));
      })
      .catch(() => {
        blockedUntil.current = Date.now() + RETRY_MS;
        setFailed(true);
        setTimeout(() => setAgain((count) => count + 1), RETRY_MS + 100); // a paused video moves nothing on
      })
      .finally(() => {
        asking.current = false;
      });
  }, [videoId, known, seconds, again]);
  return { lines: known ? linesAt(known.lines, position) : [], failed, loading: known === null };
}

/** Stays at the newest line unless the person scrolled up. */
function useFollowed(lines: readonly ReplayLine[]) {
  const list = useRef<HTMLUListElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    const element = list.current;
    if (!element) return;
    const scrolled = () => {
      follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => element.removeEventListener("scroll", scrolled);
  }, []);
  useEffect(() => {
    if (follows.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [lines]);
  return list;
}
