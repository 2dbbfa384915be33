/** What the creator says of a video: folded when long, with addresses one can follow. */
import { useState } from "react";

const LONG = 320;
const ADDRESS = /(https?:\/\/[^\s<>"']{1,500})/g;

export function Description({ text }: { text: string }) {
  const long = text.length > LONG || text.split("\n").length > 4;
  const [open, setOpen] = useState(false);
  return (
    <>
      <p className={long && !open ? "video-words video-words-short" : "video-words"}>{linked(text)}</p>
      {long && <div><button type="button" className="chip" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "Show less" : "Show more"}</button></div>}
    </>
  );
}

/** Addresses become links that tell the other site nothing and give it nothing. */
export function linked(text: string) {
  return text.split(ADDRESS).map((part, index) =>
    index % 2 === 1 ? <a key={index} href={part} target="_blank" rel="noopener noreferrer nofollow ugc">{part}</a> : part,
  );
}
