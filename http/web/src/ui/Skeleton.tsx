import "./message.css";

/** The shape of what is coming, so that nothing jumps when it comes. */
export function Skeleton({ height, width = "100%" }: { height: number | string; width?: number | string }) {
  return <div className="skeleton" style={{ height, width }} aria-hidden="true" />;
}

export function PageSkeleton() {
  return (
    <div className="page stack" role="status" aria-label="Loading">
      <Skeleton height={32} width={220} />
      <Skeleton height={180} />
      <Skeleton height={20} width="60%" />
    </div>
  );
}
