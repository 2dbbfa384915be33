/** Short notes at the edge of the screen; read out politely, gone after six seconds unless looked at. */
import { createContext, useCallback, useContext, useRef, useState, type ReactNode } from "react";
import { IconButton } from "./Button";
import "./toasts.css";

interface Toast {
  id: number;
  text: string;
  kind: "note" | "problem";
}

const SHOWN_MS = 6000;
const ToastContext = createContext<(text: string, kind?: Toast["kind"]) => void>(() => {});

export const useToast = () => useContext(ToastContext);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(0);
  const held = useRef(false);
  const remove = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (text: string, kind: Toast["kind"] = "note") => {
      const id = next.current++;
      setToasts((all) => [...all.filter((toast) => toast.text !== text).slice(-2), { id, text, kind }]);
      const expire = () => (held.current ? setTimeout(expire, 1000) : remove(id));
      setTimeout(expire, SHOWN_MS);
    },
    [remove],
  );
  const hold = (on: boolean) => () => {
    held.current = on;
  };
  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="status" aria-live="polite" onMouseEnter={hold(true)} onMouseLeave={hold(false)} onFocus={hold(true)} onBlur={hold(false)}>
        {toasts.map((toast) => (
          <div key={toast.id} className={`toast toast-${toast.kind}`} data-testid="toast">
            <span>{toast.text}</span>
            <IconButton icon="close" label="Dismiss" onClick={() => remove(toast.id)} />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
