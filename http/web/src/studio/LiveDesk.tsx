/** The control panel while a stream is open: its state above, and boxes that the creator arranges. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { stopStream } from "../api/calls";
import { asApiError } from "../api/errors";
import type { Health, Stream, StreamStatus } from "../api/types";
import { Chat } from "../chat/Chat";
import { Player } from "../player/Player";
import { useRoom } from "../realtime/useRoom";
import { ViewerCount } from "../ui/badges";
import { Button, ButtonLink } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { Confirm } from "../ui/Dialog";
import { clock, secondsSince } from "../ui/time";
import { useToast } from "../ui/Toasts";
import { useNow } from "../ui/useNow";
import type { Box } from "./arrange";
import { ArrangeButton, Boxes } from "./Boxes";
import { DescribePanel } from "./DescribePanel";
import { HealthPanel } from "./HealthPanel";
import { HowTo } from "./HowTo";
import { useIngest } from "./ingest";
import { IngestPanel } from "./IngestPanel";
import { QuickSettings } from "./QuickSettings";
import { RecentActions } from "./RecentActions";
import { StudioTabs } from "./StudioTabs";
import { TimelinePanel } from "./TimelinePanel";

interface DeskProps {
  stream: Stream;
  health: Health | null;
  /** Something changed that the next poll would show: ask now. */
  onNews: () => void;
}

export function LiveDesk({ stream, health, onNews }: DeskProps) {
  const live = useRoom(stream.id);
  const ingest = useIngest(stream.id);
  const [keyShown, setKeyShown] = useState(false);
  const [arranging, setArranging] = useState(false);
  const told = live.room.joined ? live.room.stream?.status : undefined;
  const status = told ?? stream.status;

  useEffect(() => {
    if (told && told !== stream.status) onNews();
  }, [told, stream.status, onNews]);

  const arrangeButton = useRef<HTMLButtonElement>(null);
  const doneArranging = () => {
    setArranging(false);
    arrangeButton.current?.focus(); // the button that was pressed goes away
  };
  const known = live.room.joined && live.room.stream ? live.room.stream : stream;
  const viewers = live.room.viewers ?? stream.viewers;
  const boxes: Record<Box, ReactNode> = {
    preview: (
      <section className="desk-preview" aria-label="Preview, as viewers see it">
        <Player streamId={stream.id} title={known.title} creatorName={stream.creator.display_name} latency={stream.latency} status={status} preview />
        <p className="muted small">As viewers see it, with their delay. Silent, so that you do not hear yourself.</p>
      </section>
    ),
    timeline: (
      <section className="panel" aria-labelledby="timeline">
        <h2 id="timeline">How it goes</h2>
        <TimelinePanel streamId={stream.id} status={status} viewers={viewers} peak={stream.peak_viewers} />
      </section>
    ),
    describe: <DescribePanel stream={stream} known={known} onChanged={onNews} />,
    health: <HealthPanel status={status} health={health} latency={stream.latency} />,
    settings: <QuickSettings live={live} channelId={stream.creator.id} />,
    ingest: <IngestPanel streamId={stream.id} connected={status === "live"} ingest={ingest} shown={keyShown} onShow={setKeyShown} />,
    actions: <RecentActions channelId={stream.creator.id} />,
    howto: <HowTo latency={stream.latency} ingest={ingest} shown={keyShown} />,
    chat: <div className="desk-chat"><Chat live={live} /></div>,
  };
  return (
    <div className="page desk">
      <StudioTabs />
      <StateBar stream={{ ...stream, title: known.title }} status={status} viewers={viewers} onStopped={onNews} arrange={<ArrangeButton button={arrangeButton} on={arranging} onToggle={() => setArranging(!arranging)} />} />
      <Boxes boxes={boxes} arranging={arranging} onDone={doneArranging} />
    </div>
  );
}

const STATES: Record<StreamStatus, [string, string]> = {
  created: ["Waiting for your encoder", "Start OBS or ffmpeg with the server and key below. You go live with the first picture."],
  live: ["You are live", "Everybody with the link sees you."],
  interrupted: ["Your encoder's connection dropped", "Viewers keep the last picture and the chat. Start the encoder again within a minute and the stream goes on."],
  ended: ["The stream is over", "You can start the next one right away."],
};

interface StateProps {
  stream: Stream;
  status: StreamStatus;
  viewers: number;
  onStopped: () => void;
  arrange: ReactNode;
}

function StateBar({ stream, status, viewers, onStopped, arrange }: StateProps) {
  const now = useNow(1000);
  const [title, words] = STATES[status];
  return (
    <header className="studio-state" data-testid="studio-state" data-state={status}>
      <span className="studio-lamp" aria-hidden="true" />
      <div className="studio-words">
        <h1><span role="status">{title}</span></h1>
        <p className="muted"><strong>{stream.title}</strong> · {words}</p>
      </div>
      <dl className="studio-figures">
        <div><dt>Time</dt><dd>{stream.started_at ? clock(secondsSince(stream.started_at, now)) : "0:00"}</dd></div>
        <div><dt>Watching</dt><dd><ViewerCount count={viewers} /></dd></div>
      </dl>
      <div className="studio-actions">
        {arrange}
        <CopyButton text={`${location.origin}/watch/${stream.id}`} what="link for viewers" label="Share" icon="share" />
        <ButtonLink to={`/watch/${stream.id}`} small>Open page</ButtonLink>
        <StopButton stream={stream} status={status} onStopped={onStopped} />
      </div>
    </header>
  );
}

function StopButton({ stream, status, onStopped }: { stream: Stream; status: StreamStatus; onStopped: () => void }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const toast = useToast();
  const stop = () => {
    setBusy(true);
    stopStream(stream.id)
      .then(() => {
        setAsking(false);
        toast("Your stream is over.");
        onStopped();
      })
      .catch((thrown: unknown) => toast(asApiError(thrown).message, "problem"))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Button look="danger" small onClick={() => setAsking(true)} data-testid="stop-stream">{status === "created" ? "Cancel" : "End stream"}</Button>
      <Confirm title={status === "created" ? "Cancel this stream?" : "End the stream?"} open={asking} onClose={() => setAsking(false)} confirm={status === "created" ? "Cancel the stream" : "End it now"} busy={busy} onConfirm={stop}>
        {status === "created" ? "The key stops working. You can begin again at any time." : "It is over for everybody at once, and its chat closes. The same stream cannot be started again."}
      </Confirm>
    </>
  );
}
