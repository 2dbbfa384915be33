/** After the end: what else is live, fetched when it is needed. */
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { liveStreams } from "../api/calls";
import type { Stream } from "../api/types";
import { ViewerCount } from "../ui/badges";
import { ButtonLink } from "../ui/Button";
import { Poster } from "../ui/Poster";

const OFFERED = 3;

export function WatchNext({ over }: { over: Stream }) {
  const [next, setNext] = useState<Stream[]>([]);
  useEffect(() => {
    const asked = new AbortController();
    // Without an answer the way home below is offer enough.
    liveStreams(asked.signal).then(
      ({ streams }) => setNext(streams.filter((stream) => stream.id !== over.id && stream.status === "live").slice(0, OFFERED)),
      () => {},
    );
    return () => asked.abort();
  }, [over.id]);
  return (
    <>
      <h2>That was it</h2>
      <p>{over.creator.display_name} has ended the stream.{next.length > 0 && " Live right now:"}</p>
      {next.length > 0 && (
        <ul className="next">
          {next.map((stream) => (
            <li key={stream.id}>
              <Link to={`/watch/${stream.id}`}>
                <span className="next-picture"><Poster id={stream.id} name={stream.creator.display_name} /></span>
                <strong>{stream.title}</strong>
                <span className="row small">{stream.creator.display_name}<ViewerCount count={stream.viewers} /></span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <ButtonLink to="/" look="primary" small>See what is live</ButtonLink>
    </>
  );
}
