import { Skeleton } from "../ui/Skeleton";
import "../pages/home.css";

/** The shapes of cards that are on their way. */
export function CardsSkeleton({ label, count = 4 }: { label: string; count?: number }) {
  return (
    <div className="cards" role="status" aria-label={label}>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className="card-skeleton">
          <div className="skeleton" />
          <Skeleton height={18} width="80%" />
          <Skeleton height={14} width="50%" />
        </div>
      ))}
    </div>
  );
}
