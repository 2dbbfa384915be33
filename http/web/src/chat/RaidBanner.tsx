/**
 * The viewers go to another channel: a countdown, and a button for who wants to stay. When it is time each leaves after a
 * random part of the spread, so that the other room is not hit by all at once.
 */
import { useEffect, useRef, useState } from "react";
import type { Raid } from "../realtime/events";
import { Button, ButtonLink } from "../ui/Button";
import { useCountdown, waitWords } from "./useCountdown";

interface RaidProps {
  raid: Raid;
  onGo: (streamId: string) => void;
}

export function RaidBanner({ raid, onGo }: RaidProps) {
  const [staying, setStaying] = useState(false);
  const was = useRef(false);
  const go = useRef(onGo);
  go.current = onGo;
  const leftMs = useCountdown(raid.state === "preparing" ? raid.departs_at : null);
  const preparing = raid.state === "preparing";
  // Who comes into the room after the raid left is shown the way, not taken.
  if (preparing) was.current = true;
  const leaving = raid.state === "gone" && was.current && !staying;
  useEffect(() => {
    if (!leaving) return;
    const timer = setTimeout(() => go.current(raid.stream_id), Math.random() * raid.spread_ms);
    return () => clearTimeout(timer);
  }, [leaving, raid.stream_id, raid.spread_ms]);

  const words = preparing
    ? leftMs > 0 ? `${waitWords(leftMs)}, then everybody goes to ${raid.name}` : `Going to ${raid.name} …`
    : leaving ? `Going to ${raid.name} …` : `This room went over to ${raid.name}`;
  return (
    <section className="raid" aria-label={`Raid to ${raid.name}`} data-testid="raid" data-state={raid.state}>
      <p><span className="sr-only" role="status">{preparing ? `Everybody goes to ${raid.name} soon` : words}</span><span aria-hidden="true">{words}</span></p>
      {staying && preparing && <Button small onClick={() => setStaying(false)}>Come along</Button>}
      {!staying && (preparing || leaving) && <Button small onClick={() => setStaying(true)} data-testid="raid-stay">Stay here</Button>}
      {!preparing && !leaving && <ButtonLink small look="primary" to={`/watch/${raid.stream_id}`}>Go there</ButtonLink>}
    </section>
  );
}
