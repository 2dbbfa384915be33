/** One's subscriptions; asked again when the page is looked at again, as they may change in another tab or at Stripe. */
import { useEffect } from "react";
import type { ApiError } from "../api/errors";
import { fetchSubscriptions, type Subscription } from "../api/payments";
import { usePolling } from "../pages/usePolling";

const REFRESH_MS = 600_000;

export interface Mine {
  /** null while it is not known. */
  all: Subscription[] | null;
  error: ApiError | null;
  ask: () => void;
}

export function useMine(on: boolean): Mine {
  const { value, error, ask } = usePolling((signal) => fetchSubscriptions(signal), REFRESH_MS, on);
  // The back button may show this page as it was before the payment.
  useEffect(() => {
    const shown = (event: PageTransitionEvent) => event.persisted && on && ask();
    addEventListener("pageshow", shown);
    return () => removeEventListener("pageshow", shown);
  }, [ask, on]);
  return { all: on ? (value?.subscriptions ?? null) : null, error: value ? null : error, ask };
}
