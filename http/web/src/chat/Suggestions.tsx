/** What the word one is writing could become; also told to who listens. */
import type { Offered } from "./useCompletion";
import { EmotePicture } from "./LineText";

const WHAT = { emote: "emotes", person: "people", command: "commands" };
const ONE = { emote: "emote", person: "person", command: "command" };

export function Suggestions({ id, offered: { completion, at, take } }: { id: string; offered: Offered }) {
  const words = completion ? `${completion.options.length} ${(completion.options.length === 1 ? ONE : WHAT)[completion.kind]}: arrows choose, Tab takes` : "";
  return (
    <>
      <p className="sr-only" role="status">{words}</p>
      {completion && (
        <ul id={id} className="suggestions" role="listbox" aria-label={`Matching ${WHAT[completion.kind]}`} data-testid="suggestions">
          {completion.options.map((option, index) => (
            // The field keeps the focus: the press must not take it.
            <li key={option.key} id={`${id}-${index}`} role="option" aria-selected={index === at} onPointerDown={(event) => { event.preventDefault(); take(option); }}>
              {option.emote && <EmotePicture emote={option.emote} size={20} />}
              <span>{option.label}</span>
              {option.detail && <small>{option.detail}</small>}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
