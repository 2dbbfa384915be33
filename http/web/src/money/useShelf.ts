/** What is sold here, asked once for the whole page; `off` where payments are not set up. */
import { useEffect, useSyncExternalStore } from "react";
import { asApiError, type ApiError } from "../api/errors";
import { fetchPlans, type Shelf } from "../api/payments";

export type Stock =
  | { state: "loading" }
  | { state: "off" }
  | { state: "failed"; error: ApiError }
  | { state: "open"; shelf: Shelf };

let stock: Stock = { state: "loading" };
let asking = false;
const listeners = new Set<() => void>();

function put(next: Stock): void {
  stock = next;
  for (const listener of listeners) listener();
}

/** Ask, or ask again after a failure. Plans change with the server, so what is known holds for the page. */
export function askShelf(): void {
  if (asking || stock.state === "open" || stock.state === "off") return;
  asking = true;
  fetchPlans()
    .then(
      (shelf) => put({ state: "open", shelf }),
      (thrown: unknown) => {
        const error = asApiError(thrown);
        put(error.status === 404 || error.code === "payment.off" ? { state: "off" } : { state: "failed", error });
      },
    )
    .finally(() => {
      asking = false;
    });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useShelf(): Stock {
  useEffect(() => {
    askShelf();
    addEventListener("online", askShelf);
    return () => removeEventListener("online", askShelf);
  }, []);
  return useSyncExternalStore(subscribe, () => stock);
}

/** Plans and rules, or null: for what is left out where nothing is sold. */
export function useOpenShelf(): Shelf | null {
  const now = useShelf();
  return now.state === "open" ? now.shelf : null;
}
