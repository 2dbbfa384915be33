/** The desk's one key handler: it finds what a key means and hands it to the channel and column that have the focus. */
import { useEffect, useRef, type RefObject } from "react";
import type { ChannelControls } from "./ChannelDesk";
import { readKey, takenElsewhere, type KeyDeed } from "./keys";
import type { Column, ColumnName } from "./layout";

interface DeskKeys {
  controls: RefObject<Map<string, ChannelControls>>;
  channels: string[];
  channel: string;
  column: ColumnName;
  shown: Column[];
  go: (channel: string, column: ColumnName) => void;
  undo: () => void;
  help: () => void;
  on: boolean;
}

/** A digit belongs to the `g` before it for so long. */
const GOING_MS = 1500;

export function useDeskKeys(keys: DeskKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  const going = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!latest.current.on || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (takenElsewhere(event.target as Element, event.key)) return;
      const reading = readKey(event.key, Date.now() < going.current);
      going.current = reading.going ? Date.now() + GOING_MS : 0;
      if (reading.going || (reading.deed && carryOut(reading.deed, latest.current, event.repeat))) event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

/** Moving may repeat while a key is held; nothing else is done twice by one press. */
const REPEATS = new Set<KeyDeed>(["next", "previous"]);

function carryOut(deed: KeyDeed, desk: DeskKeys, repeat: boolean): boolean {
  if (repeat && !REPEATS.has(deed)) return true;
  const { channel, column, channels, shown, go } = desk;
  const at = shown.findIndex((one) => one.name === column);
  switch (deed) {
    case "help":
      desk.help();
      return true;
    case "channel":
      if (channels.length > 1) go(channels[(channels.indexOf(channel) + 1) % channels.length]!, column);
      return true;
    case "left":
    case "right": {
      const to = shown[at + (deed === "left" ? -1 : 1)];
      if (to) go(channel, to.name);
      return true;
    }
    case "column1":
    case "column2":
    case "column3":
    case "column4":
    case "column5": {
      const to = shown[Number(deed.slice(-1)) - 1];
      if (to) go(channel, to.name);
      return true;
    }
    case "undo":
      if (!desk.controls.current.get(channel)?.deed(deed, column)) desk.undo();
      return true;
    default:
      return desk.controls.current.get(channel)?.deed(deed, column) ?? false;
  }
}
