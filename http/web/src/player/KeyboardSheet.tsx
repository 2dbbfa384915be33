import { Dialog } from "../ui/Dialog";

const KEYS: [string[], string][] = [
  [["Space", "K"], "Play or pause"],
  [["M"], "Sound on or off"],
  [["↑", "↓"], "Louder, quieter (on the player)"],
  [["L"], "Go live"],
  [["F"], "Full screen"],
  [["T"], "Theatre"],
  [["I"], "Picture in picture"],
  [["?"], "This list"],
];

export function KeyboardSheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keyboard" open={open} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
