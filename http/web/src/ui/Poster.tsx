/** A stream's picture when there is none: its own light on a dark stage, and the creator's initials. */
import { hueOf, initialsOf } from "./identity";
import "./poster.css";

export function Poster({ id, name }: { id: string; name: string }) {
  const hue = hueOf(id);
  return (
    <div className="poster" aria-hidden="true" style={{ ["--hue" as string]: hue, ["--hue-2" as string]: (hue + 50) % 360 }}>
      <span>{initialsOf(name)}</span>
    </div>
  );
}
