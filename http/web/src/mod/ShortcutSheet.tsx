import { Dialog } from "../ui/Dialog";
import { GROUPS } from "./keys";
import { COLUMN_TITLES, type Column } from "./layout";

export function ShortcutSheet({ open, onClose, columns }: { open: boolean; onClose: () => void; columns: Column[] }) {
  const shown = columns.filter((column) => column.shown);
  return (
    <Dialog title="Keyboard" open={open} onClose={onClose}>
      <div className="desk-sheet" data-testid="shortcut-sheet" tabIndex={0} role="region" aria-label="Shortcuts">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.shortcuts.map(({ what, shown: written, keys }) => (
                <div key={what}><dt>{(written ?? keys).map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{what}</dd></div>
              ))}
              {group.title === "Move" && shown.map((column, index) => (
                <div key={column.name}><dt><kbd>G</kbd><kbd>{index + 1}</kbd></dt><dd>{COLUMN_TITLES[column.name]}</dd></div>
              ))}
            </dl>
          </section>
        ))}
        <p className="muted small">No key does anything while you type. What you press acts on the line that was selected when the key went down.</p>
      </div>
    </Dialog>
  );
}
