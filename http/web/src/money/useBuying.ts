/**
 * To the payment page: one press makes one order, however often it is pressed. `busy` lasts until the browser has left;
 * whoever comes back with the back button finds the button as it was.
 */
import { useEffect, useRef, useState } from "react";
import { ApiError, asApiError } from "../api/errors";
import type { Order } from "../api/payments";
import { randomId } from "../session/device";
import { rememberWish, type Wish } from "./wish";

interface Buying {
  busy: boolean;
  problem: ApiError | null;
  /** `begin` gets the key of this wish: the same for the same `wanted`, until its order is over. */
  buy: (wanted: object, begin: (key: string) => Promise<Order>, wish: Wish) => void;
  clear: () => void;
}

export function useBuying(leave: (url: string) => void = (url) => location.assign(url)): Buying {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const going = useRef(false);
  const keyed = useRef({ wanted: "", key: "" });
  const rest = () => {
    going.current = false;
    setBusy(false);
  };
  useEffect(() => {
    const shown = (event: PageTransitionEvent) => event.persisted && rest();
    addEventListener("pageshow", shown);
    return () => removeEventListener("pageshow", shown);
  }, []);

  const order = async (wanted: object, begin: (key: string) => Promise<Order>) => {
    const text = JSON.stringify(wanted);
    if (keyed.current.wanted !== text) keyed.current = { wanted: text, key: randomId() };
    try {
      return await begin(keyed.current.key);
    } catch (thrown) {
      // The same was bought a moment ago: this is another one, and needs another key.
      if (!(thrown instanceof ApiError) || thrown.code !== "payment.order_over") throw thrown;
      keyed.current = { wanted: text, key: randomId() };
      return begin(keyed.current.key);
    }
  };

  const buy: Buying["buy"] = (wanted, begin, wish) => {
    if (going.current) return;
    going.current = true;
    setBusy(true);
    setProblem(null);
    order(wanted, begin).then(
      ({ id, url }) => {
        rememberWish(id, wish);
        leave(url ?? `/checkout/${id}`);
      },
      (thrown: unknown) => {
        setProblem(asApiError(thrown));
        rest();
      },
    );
  };
  return { busy, problem, buy, clear: () => setProblem(null) };
}
