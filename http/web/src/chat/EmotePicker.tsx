/** All emotes of the room and some every system has. Arrows move, Enter takes, Esc goes back to the field. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { IconButton } from "../ui/Button";
import { QUICK_PICKS, type Emote } from "./emotes";
import { EmotePicture } from "./LineText";
import "./picker.css";

interface PickerProps {
  emotes: readonly Emote[];
  onPick: (words: string) => void;
  onClose: () => void;
}

export default function EmotePicker({ emotes, onPick, onClose }: PickerProps) {
  const [wanted, setWanted] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => search.current?.focus(), []);
  const word = wanted.trim().toLowerCase();
  const found = emotes.filter(({ code, label, keywords }) => [code, label.toLowerCase(), ...keywords].some((name) => name.includes(word)));
  const quick = QUICK_PICKS.filter(([, name]) => name.includes(word));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
    else if (event.key === "Enter" && event.target === search.current) box.current?.querySelector<HTMLElement>(".picker-one")?.click();
    else if (!moveIn(event.key, box.current, event.target === search.current)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={box} className="picker" role="dialog" aria-label="Emotes" onKeyDown={onKeyDown} data-testid="emote-picker">
      <div className="picker-head">
        <input ref={search} className="input" value={wanted} placeholder="Find an emote" aria-label="Find an emote" autoComplete="off" onChange={(event) => setWanted(event.target.value)} />
        <IconButton icon="close" label="Close the emotes" onClick={onClose} />
      </div>
      <div className="picker-grid">
        {found.map((emote) => (
          <button key={emote.code} type="button" className="picker-one" aria-label={emote.label} title={`:${emote.code}:`} onClick={() => onPick(`:${emote.code}:`)}>
            <EmotePicture emote={emote} size={28} />
          </button>
        ))}
        {quick.map(([sign, name]) => (
          <button key={sign} type="button" className="picker-one" aria-label={name} title={name} onClick={() => onPick(sign)}>{sign}</button>
        ))}
        {found.length + quick.length === 0 && <p className="muted small" role="status">Nothing is called that.</p>}
      </div>
    </div>
  );
}

function moveIn(key: string, box: HTMLElement | null, searching: boolean): boolean {
  const all = Array.from(box?.querySelectorAll<HTMLElement>(".picker-one") ?? []);
  const here = all.indexOf(document.activeElement as HTMLElement);
  const perRow = Math.max(1, all.findIndex((one) => one.offsetTop > all[0]!.offsetTop));
  if (searching) {
    if (key !== "ArrowDown") return false;
    all[0]?.focus();
    return true;
  }
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow }[key];
  if (step === undefined || here < 0) return false;
  if (here + step < 0) box?.querySelector("input")?.focus();
  else all[Math.min(all.length - 1, here + step)]?.focus();
  return true;
}
