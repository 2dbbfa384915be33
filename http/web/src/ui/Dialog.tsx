/** A modal dialog on the platform's own element: focus stays inside, Esc closes, focus returns. */
import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button, IconButton } from "./Button";
import "./dialog.css";

interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, open, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={ref}
      className="dialog"
      aria-labelledby={heading}
      onClose={onClose}
      onClick={(event) => event.target === ref.current && onClose()}
    >
      {open && (
        <div className="dialog-body">
          <header>
            <h2 id={heading}>{title}</h2>
            <IconButton icon="close" label="Close" onClick={onClose} />
          </header>
          {children}
        </div>
      )}
    </dialog>
  );
}

interface ConfirmProps extends Omit<DialogProps, "children"> {
  children: ReactNode;
  confirm: string;
  cancel?: string;
  busy: boolean;
  onConfirm: () => void;
}

export function Confirm({ confirm, cancel = "Keep going", busy, onConfirm, children, ...dialog }: ConfirmProps) {
  return (
    <Dialog {...dialog}>
      <div className="muted">{children}</div>
      <footer>
        <Button onClick={dialog.onClose}>{cancel}</Button>
        <Button look="danger" busy={busy} onClick={onConfirm} data-testid="confirm">{confirm}</Button>
      </footer>
    </Dialog>
  );
}
