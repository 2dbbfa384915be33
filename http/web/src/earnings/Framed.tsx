/** A panel that has to ask first: the shape of what comes, or why it does not, or the figures. */
import { useId, type ReactNode } from "react";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import type { Asked } from "./useAsked";

interface FramedProps<Value> {
  title: string;
  asked: Asked<Value>;
  /** How high it will be, so that nothing jumps. */
  height: number;
  aside?: ReactNode;
  testId?: string;
  children: (value: Value) => ReactNode;
}

export function Framed<Value>({ title, asked: { value, error, busy, ask }, height, aside, testId, children }: FramedProps<Value>) {
  const heading = useId();
  return (
    <section className="panel earnings-panel" aria-labelledby={heading} aria-busy={busy} data-testid={testId}>
      <div className="earnings-panel-head"><h2 id={heading}>{title}</h2>{aside}</div>
      {error && (
        <div className="earnings-problem" role="alert">
          <p>{value === null ? error.message : `These figures are not up to date: ${error.message}`}</p>
          <Button small icon="retry" busy={busy} onClick={ask}>Try again</Button>
        </div>
      )}
      {value !== null && children(value)}
      {value === null && !error && <div role="status" aria-label={`Reading: ${title}`}><Skeleton height={height} /></div>}
    </section>
  );
}
