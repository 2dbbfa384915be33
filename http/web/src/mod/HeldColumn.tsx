/** Messages that wait for a moderator: claimed by one at a time, decided, or gone after their time. */
import { memo } from "react";
import { price } from "../money/amounts";
import { hueOf } from "../ui/identity";
import { clock, timeOfDay } from "../ui/time";
import { useChannel } from "./ChannelContext";
import { DeedBar } from "./ChatColumn";
import { pieces, type HeldLine } from "./held";
import type { KeyDeed } from "./keys";
import { PickList } from "./PickList";
import type { HeldQueue } from "./useHeld";
import type { StillList } from "./useStill";

interface HeldColumnProps {
  queue: HeldQueue;
  list: StillList<HeldLine>;
  listId: string;
  onDeed: (deed: KeyDeed) => void;
}

const BUTTONS: { deed: KeyDeed; label: string; key: string }[] = [
  { deed: "approve", label: "Approve", key: "A" },
  { deed: "deny", label: "Deny", key: "X" },
  { deed: "claim", label: "Claim", key: "C" },
  { deed: "timeout", label: "Time out", key: "T" },
  { deed: "ban", label: "Ban", key: "B" },
];

export function HeldColumn({ queue, list, listId, onDeed }: HeldColumnProps) {
  const { live, myId } = useChannel();
  const chosen = list.current();
  const mine = chosen?.held.claimed_by?.id === myId && (chosen?.held.claimed_until ?? 0) > queue.now;
  const buttons = BUTTONS.map((button) => (button.deed === "claim" && mine ? { ...button, label: "Release" } : button));
  return (
    <>
      {queue.problem && <p className="desk-state" role="alert">{queue.problem} <button type="button" className="desk-link" onClick={queue.again}>Try again</button></p>}
      <PickList
        id={listId} label="Held messages" {...list} onSelect={list.pick} onHold={list.hold} onLive={list.goLive}
        option={(line) => <HeldOption line={line} now={line.fate === "waiting" ? queue.now : 0} myId={myId} />}
        optionClass={(line) => (line.fate === "waiting" ? "desk-held" : "desk-held desk-decided")}
        empty={live ? "Nothing waits for you." : "Nothing is live, so nothing is held."}
      />
      <DeedBar label="Actions on the selected held message" buttons={buttons} on={list.selected !== null} onDeed={onDeed} />
    </>
  );
}

const FATES = { approved: "Approved", denied: "Denied", expired: "Time is over", gone: "Decided elsewhere", waiting: "" } as const;

export const HeldOption = memo(function HeldOption({ line: { held, fate, mine, refusal }, now, myId }: { line: HeldLine; now: number; myId: string | null }) {
  const claimed = held.claimed_by && (held.claimed_until ?? 0) > now && fate === "waiting" ? held.claimed_by : null;
  const left = Math.max(0, held.expires_at - now) / 1000;
  return (
    <>
      <span className="desk-held-head">
        <b style={{ ["--hue" as string]: hueOf(held.user.id) }}>{held.user.name}</b> <time dateTime={new Date(held.at).toISOString()}>{timeOfDay(held.at)}</time>
        {held.paid && <span className="tag" data-testid="held-paid">Paid {price(held.paid.amount_minor, held.paid.currency)}, goes back if you deny it</span>}
        {fate === "waiting" && <span className={left < 60 ? "desk-left desk-left-short" : "desk-left"} data-testid="held-left">{clock(left)} left</span>}
      </span>
      <span className="desk-held-text">
        {pieces(held.text, held.findings).map((piece, index) => (piece.findings.length > 0 ? <mark key={index} title={piece.findings.map((one) => one.detail || one.code).join(", ")}>{piece.text}</mark> : <span key={index}>{piece.text}</span>))}
      </span>
      <span className="desk-why">{held.findings.map((one) => findingWords(one.code, one.detail)).filter((words, index, all) => all.indexOf(words) === index).join(" · ")}</span>
      {claimed && <span className="desk-claimed">{claimed.id === myId ? "Yours" : `${claimed.name} is looking at it`} for {clock(((held.claimed_until ?? 0) - now) / 1000)}</span>}
      {fate !== "waiting" && <span className="desk-fate" data-testid="held-fate">{FATES[fate]}{mine ? "…" : ""}</span>}
      {refusal && <span className="field-error" data-testid="held-refusal">{refusal}</span>}
    </>
  );
});

const findingWords = (code: string, detail: string) => detail || code.replaceAll(/[_.]/g, " ");
