/** A row of reactions, and the room's as they rise; counted once a second by the room, so never more than a few. */
import { useEffect, useRef, useState, type CSSProperties } from "react";
import type { React as Reacting } from "../realtime/events";
import type { Reactions as Counted } from "../realtime/room";

type Name = Reacting["reaction"];

const NAMES: Name[] = ["heart", "laugh", "clap", "fire", "wow", "sad"];

/** Our own pictures, which look the same everywhere. */
function Sign({ name, size }: { name: Name; size: number }) {
  return <img src={name === "clap" ? "/reactions/clap.svg" : `/emotes/${name}.svg`} alt="" width={size} height={size} draggable={false} />;
}
const MOST_AT_ONCE = 12;
const SHOWN_MS = 2200;

interface Rising {
  id: number;
  name: Name;
  count: number;
  left: number;
}

export function ReactionRow({ disabled, onReact }: { disabled: boolean; onReact: (name: Name) => void }) {
  return (
    <div className="reactions" role="group" aria-label="React">
      {NAMES.map((name) => (
        <button key={name} type="button" aria-label={`React with ${name}`} title={name} aria-disabled={disabled} onClick={() => !disabled && onReact(name)} data-testid={`react-${name}`}><Sign name={name} size={22} /></button>
      ))}
    </div>
  );
}

/** Over the list, for nobody to press. With less motion the counts stand still for a moment. */
export function RisingReactions({ reactions, calm }: { reactions: Counted; calm: boolean }) {
  const [rising, setRising] = useState<Rising[]>([]);
  const seen = useRef(reactions.number);
  useEffect(() => {
    if (reactions.number === seen.current) return;
    seen.current = reactions.number;
    const fresh = NAMES.flatMap((name, index) => {
      const count = reactions.counts[name] ?? 0;
      return count > 0 ? [{ id: reactions.number * 10 + index, name, count, left: (index + Math.random() * 0.6) / NAMES.length }] : [];
    });
    if (fresh.length === 0) return;
    setRising((before) => [...before, ...fresh].slice(-MOST_AT_ONCE));
    const timer = setTimeout(() => setRising((before) => before.filter((one) => !fresh.includes(one))), SHOWN_MS);
    timers.current.add(timer);
  }, [reactions]);
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEffect(() => {
    const all = timers.current;
    return () => all.forEach(clearTimeout);
  }, []);
  return (
    <div className={calm ? "rising rising-calm" : "rising"} aria-hidden="true" data-testid="rising">
      {rising.map((one) => <span key={one.id} style={{ "--left": one.left } as CSSProperties}><Sign name={one.name} size={26} />{one.count > 1 && <small>{one.count}</small>}</span>)}
    </div>
  );
}
