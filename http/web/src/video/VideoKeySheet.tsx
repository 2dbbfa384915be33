import { Dialog } from "../ui/Dialog";

const KEYS: [string[], string][] = [
  [["Space", "K"], "Play or pause"],
  [["J", "L"], "Back, on by 10 seconds"],
  [["←", "→"], "Back, on by 5 seconds (on the player)"],
  [["0", "…", "9"], "To that tenth of the video"],
  [["↑", "↓"], "Louder, quieter (on the player)"],
  [["M"], "Sound on or off"],
  [["C"], "Captions on or off"],
  [["<", ">"], "Slower, faster"],
  [["F"], "Full screen"],
  [["T"], "Theatre"],
  [["I"], "Picture in picture"],
  [["?"], "This list"],
];

export function VideoKeySheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keyboard" open={open} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>{keys.map((key) => (key === "…" ? key : <kbd key={key}>{key}</kbd>))}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
