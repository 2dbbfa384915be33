import { useSyncExternalStore } from "react";
import { Icon } from "../ui/icons";

const subscribe = (listener: () => void) => {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
};

export const useOnline = () => useSyncExternalStore(subscribe, () => navigator.onLine);

export function OfflineBanner() {
  const online = useOnline();
  return (
    <div role="status">
      {!online && (
        <p className="offline" data-testid="offline">
          <Icon name="offline" size={18} />
          You are offline. Everything continues by itself when the connection is back.
        </p>
      )}
    </div>
  );
}
