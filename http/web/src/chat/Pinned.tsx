/** The message on top of the chat, until its time is over or one folds it away. */
import { useEffect, useState } from "react";
import type { Acted, Pin } from "../realtime/events";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Name, type Look } from "./ChatLine";
import { LineText } from "./LineText";

interface PinnedProps {
  pin: Pin;
  look: Look;
  /** For moderators. */
  onUnpin?: (() => Promise<Acted | void>) | undefined;
}

export function Pinned({ pin, look, onUnpin }: PinnedProps) {
  const [folded, setFolded] = useState(false);
  const [over, setOver] = useState(false);
  useEffect(() => {
    setFolded(false);
    setOver(false);
    // setTimeout counts in 32 bits: what is pinned for longer than 24 days stays until the room says otherwise.
    const left = pin.until - Date.now();
    if (left > 2 ** 31 - 1) return;
    const timer = setTimeout(() => setOver(true), Math.max(0, left));
    return () => clearTimeout(timer);
  }, [pin.message_id, pin.until]);
  if (over) return null;
  return (
    <section className={folded ? "pinned pinned-folded" : "pinned"} aria-label="Pinned message" data-testid="pinned">
      <Icon name="pin" size={16} />
      <div className="pinned-text">
        <Name user={pin.user} theme={look.theme} />
        <LineText text={pin.text} emotes={look.emotes} myName={look.myName} />
      </div>
      {onUnpin && <IconButton icon="trash" label="Unpin" onClick={() => void onUnpin()} />}
      <IconButton icon="down" label={folded ? "Show the whole pinned message" : "Fold the pinned message"} aria-expanded={!folded} className="pinned-fold" onClick={() => setFolded(!folded)} />
    </section>
  );
}
