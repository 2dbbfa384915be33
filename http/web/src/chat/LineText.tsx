/** What somebody said, with emotes as pictures and names that are called marked. */
import { memo } from "react";
import { partsOf, type Emote } from "./emotes";

interface TextProps {
  text: string;
  emotes: ReadonlyMap<string, Emote>;
  myName: string | null;
}

export const LineText = memo(function LineText({ text, emotes, myName }: TextProps) {
  return (
    <span className="line-text">
      {partsOf(text, emotes, myName).map((part, index) => {
        if ("emote" in part) return <EmotePicture key={index} emote={part.emote} />;
        if ("mention" in part) return <strong key={index} className={part.mine ? "mention mention-mine" : "mention"}>{part.mention}</strong>;
        return part.text;
      })}
    </span>
  );
});

/** Its place is kept before it is there, so that no line grows when it comes. */
export function EmotePicture({ emote, size = 24 }: { emote: Emote; size?: number }) {
  return <img className="emote" src={emote.url} alt={`:${emote.code}:`} title={`:${emote.code}:`} width={size} height={size} decoding="async" draggable={false} />;
}
