/** Small facts: the state of a stream, the number of viewers. Never by colour alone. */
import type { StreamStatus } from "../api/types";
import { Icon } from "./icons";
import { shortCount, viewersLabel } from "./time";
import "./badges.css";

const WORDS: Record<StreamStatus, string> = { created: "Starting", live: "Live", interrupted: "Interrupted", ended: "Ended" };

export function StatusBadge({ status }: { status: StreamStatus }) {
  return <span className={`badge badge-${status}`} data-testid="status" data-status={status}>{WORDS[status]}</span>;
}

export function ViewerCount({ count }: { count: number }) {
  return (
    <span className="viewers" title={viewersLabel(count)} data-testid="viewers" data-count={count}>
      <Icon name="people" size={16} />
      <span aria-hidden="true">{shortCount(count)}</span>
      <span className="sr-only">{viewersLabel(count)}</span>
    </span>
  );
}
