/** What lies over the picture when it is not simply playing. One thing at a time. */
import type { ReactNode } from "react";
import type { StreamStatus } from "../api/types";
import { ForSubscribers } from "../money/ForSubscribers";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import type { Phase } from "./playback";

interface NoticeProps {
  phase: Phase;
  status: StreamStatus;
  over: boolean;
  started: boolean;
  paused: boolean;
  muted: boolean;
  afterEnd: ReactNode;
  onUnmute: () => void;
  onPlay: () => void;
}

export function PlayerNotice(props: NoticeProps) {
  const { phase, status, over, started, paused, muted, afterEnd, onUnmute, onPlay } = props;
  if (over) {
    return (
      <div className="player-cover" data-testid="player-ended">
        <div className="player-cover-text">{afterEnd ?? <p>The stream is over.</p>}</div>
      </div>
    );
  }
  if (phase === "refused") return <ForSubscribers />;
  const words = wordsFor(phase, status);
  return (
    <>
      <div role="status" className="player-words">
        {words && <p data-testid="player-words"><span className="pulse" aria-hidden="true" />{words}</p>}
      </div>
      {started && !paused && muted && (
        <Button className="player-unmute" look="primary" icon="muted" onClick={onUnmute} data-testid="unmute">Unmute</Button>
      )}
      {started && paused && (
        <button type="button" className="player-big" aria-label="Play" onClick={onPlay}><Icon name="play" size={36} /></button>
      )}
    </>
  );
}

function wordsFor(phase: Phase, status: StreamStatus): string | null {
  if (phase === "unsupported") return "This browser cannot play live video. A current Chrome, Edge, Firefox or Safari can.";
  if (status === "interrupted") return "The creator's connection dropped, holding the room. It continues by itself.";
  if (status === "created") return "The creator is getting ready. The picture comes by itself.";
  if (phase === "waiting") return "The first picture is on its way.";
  if (phase === "loading") return "Loading";
  if (phase === "buffering") return "Catching up";
  return null;
}
