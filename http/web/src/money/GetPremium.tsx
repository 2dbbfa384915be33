/** Where something is for subscribers: the way to become one, and back here; nothing where nothing is sold. */
import type { ReactNode } from "react";
import { useLocation } from "react-router";
import { ButtonLink } from "../ui/Button";
import { useOpenShelf } from "./useShelf";

interface GetProps {
  /** What one comes back to: "the video". */
  name: string;
  from?: string;
  children?: ReactNode;
}

export function GetPremium({ name, from, children }: GetProps) {
  const { pathname } = useLocation();
  if (!useOpenShelf()) return null;
  return (
    <div className="get-premium">
      <ButtonLink to="/premium" state={{ from: from ?? pathname, name }} look="primary" small data-testid="to-premium">Get premium</ButtonLink>
      {children && <p className="small">{children}</p>}
    </div>
  );
}
