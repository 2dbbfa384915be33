/** One line that says which modes hold; opened, what each means. A change is read out once. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { RoomSettings } from "../realtime/events";
import { Icon } from "../ui/icons";
import { modesOf } from "./modes";

export function ModeBanner({ settings, children }: { settings: RoomSettings; children?: ReactNode }) {
  const modes = modesOf(settings);
  const short = modes.map((mode) => mode.short).join(" · ");
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState("");
  const before = useRef(short);
  useEffect(() => {
    if (before.current === short) return;
    before.current = short;
    setSaid(short ? `The chat's rules now: ${short}` : "The chat has no special rules any more");
  }, [short]);
  return (
    <>
      <p className="sr-only" role="status">{said}</p>
      {modes.length > 0 && (
        <section className="modes" aria-label="Rules of this chat" data-testid="modes">
          <div className="modes-line">
            <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
              <Icon name="shield" size={16} /><span>{short}</span><span className="modes-turn" aria-hidden="true"><Icon name="down" size={14} /></span>
            </button>
            {children}
          </div>
          {open && <ul>{modes.map((mode) => <li key={mode.key}>{mode.long}</li>)}</ul>}
        </section>
      )}
    </>
  );
}
