/** A poll: vote once, see the bars move, see how it ended. One's own vote is remembered in this browser. */
import { useEffect, useId, useState, type CSSProperties } from "react";
import { ApiError, asApiError } from "../api/errors";
import type { Poll } from "../realtime/events";
import { Button, IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { useCountdown, waitWords } from "./useCountdown";
import "./poll.css";

interface PollProps {
  poll: Poll;
  mayVote: boolean;
  onVote: (choice: number) => Promise<unknown>;
}

const KEY = "footlight.votes";
const REMEMBERED = 20;

/** -1: voted somewhere else, nobody here knows for what. */
function readVote(pollId: string): number | null {
  try {
    const known = JSON.parse(localStorage.getItem(KEY) ?? "[]") as [string, number][];
    return known.find(([id]) => id === pollId)?.[1] ?? null;
  } catch {
    return null;
  }
}

function keepVote(pollId: string, choice: number): void {
  try {
    const known = JSON.parse(localStorage.getItem(KEY) ?? "[]") as [string, number][];
    localStorage.setItem(KEY, JSON.stringify([...known.filter(([id]) => id !== pollId), [pollId, choice]].slice(-REMEMBERED)));
  } catch {
    // Storage can be forbidden; the room still counts one vote for each account.
  }
}

export default function PollPanel({ poll, mayVote, onVote }: PollProps) {
  const [voted, setVoted] = useState<number | null>(() => readVote(poll.id));
  const [chosen, setChosen] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [away, setAway] = useState(false);
  const leftMs = useCountdown(poll.state === "open" ? poll.closes_at : null);
  const title = useId();
  useEffect(() => setAway(false), [poll.state]);
  if (away || poll.state === "cancelled") return null;
  const open = poll.state === "open" && leftMs > 0;
  const voting = open && voted === null && mayVote;
  const total = poll.votes.reduce((all, votes) => all + votes, 0);

  const vote = () => {
    if (chosen === null) return setProblem("Choose an answer first.");
    setBusy(true);
    setProblem(null);
    const remember = (choice: number) => {
      keepVote(poll.id, choice);
      setVoted(choice);
    };
    onVote(chosen).then(() => remember(chosen), (thrown: unknown) => {
      if (thrown instanceof ApiError && thrown.code === "poll.voted") remember(-1);
      setProblem(asApiError(thrown).message);
    }).finally(() => setBusy(false));
  };

  return (
    <section className="poll" aria-labelledby={title} data-testid="poll" data-state={poll.state}>
      <header>
        <h3 id={title}>{poll.question}</h3>
        <IconButton icon="close" label="Put the poll away" onClick={() => setAway(true)} />
      </header>
      {voting ? (
        <fieldset onKeyDown={(event) => event.key === "Enter" && vote()}>
          <legend className="sr-only">{poll.question}</legend>
          {poll.choices.map((choice, index) => (
            <label key={index} className="poll-choice">
              <input type="radio" name={poll.id} checked={chosen === index} onChange={() => setChosen(index)} /><span>{choice}</span>
            </label>
          ))}
        </fieldset>
      ) : (
        <ol className="poll-bars">
          {poll.choices.map((choice, index) => <Bar key={index} choice={choice} votes={poll.votes[index] ?? 0} total={total} poll={poll} mine={voted === index} />)}
        </ol>
      )}
      <footer>
        {voting && <Button small look="primary" busy={busy} onClick={vote} data-testid="poll-vote">Vote</Button>}
        <span className="muted small">{total === 1 ? "1 vote" : `${total.toLocaleString("en")} votes`} · {open ? `${waitWords(leftMs)} left` : poll.state === "open" ? "closing" : "over"}</span>
      </footer>
      {problem && <p className="composer-problem" role="alert">{problem}</p>}
    </section>
  );
}

interface BarProps {
  choice: string;
  votes: number;
  total: number;
  poll: Poll;
  mine: boolean;
}

function Bar({ choice, votes, total, poll, mine }: BarProps) {
  const share = total ? votes / total : 0;
  const ahead = poll.state === "closed" && total > 0 && votes === Math.max(...poll.votes);
  return (
    <li className={ahead ? "poll-bar poll-ahead" : "poll-bar"} style={{ "--share": share } as CSSProperties}>
      <span>{choice}{mine && <b className="poll-mine"><Icon name="check" size={14} />your vote</b>}</span>
      <span className="poll-share">{Math.round(share * 100)} % <small>({votes.toLocaleString("en")})</small></span>
    </li>
  );
}
