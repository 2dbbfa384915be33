/** The emotes one can use in a room, and what a text looks like with them. Pure, but for the call. */
import { call } from "../api/client";
import { BUILTIN_EMOTES } from "../realtime/events";

export interface Emote {
  /** What stands between colons. */
  code: string;
  url: string;
  label: string;
  keywords: string[];
}

export const builtinEmotes: Emote[] = BUILTIN_EMOTES.map(({ code, label, keywords }) => ({ code, url: `/emotes/${code}.svg`, label, keywords }));

export const channelEmotes = (channelId: string, signal?: AbortSignal) =>
  call<{ emotes: { code: string; url: string }[] }>(`/channels/${encodeURIComponent(channelId)}/emotes`, { signal })
    .then(({ emotes }) => emotes.map(({ code, url }) => ({ code, url, label: code, keywords: [] })));

/** Quick picks in the font of the system. */
export const QUICK_PICKS: [string, string][] = [
  ["😀", "grinning"], ["😂", "tears of joy"], ["😍", "heart eyes"], ["🤔", "thinking"], ["😮", "surprised"], ["😢", "crying"],
  ["👍", "thumbs up"], ["👏", "clapping"], ["🙏", "folded hands"], ["❤️", "heart"], ["🔥", "fire"], ["🎉", "party"],
];

export type Part = { text: string } | { emote: Emote } | { mention: string; mine: boolean };

const SPECIAL = /:([a-z0-9_]{2,24}):|@([\p{L}\p{N}_-]{1,50})/gu;

/** A text cut into words, emotes and mentions. */
export function partsOf(text: string, emotes: ReadonlyMap<string, Emote>, myName: string | null): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const found of text.matchAll(SPECIAL)) {
    const part = partOf(found, emotes, myName);
    if (!part) continue;
    if (found.index > from) parts.push({ text: text.slice(from, found.index) });
    parts.push(part);
    from = found.index + ("mention" in part ? part.mention.length : found[0].length);
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function partOf(found: RegExpMatchArray, emotes: ReadonlyMap<string, Emote>, myName: string | null): Part | null {
  if (found[1]) {
    const emote = emotes.get(found[1]);
    return emote ? { emote } : null;
  }
  const rest = found.input!.slice(found.index! + 1, found.index! + 1 + (myName?.length ?? 0));
  const after = found.input!.slice(found.index! + 1 + rest.length).charAt(0);
  const mine = myName !== null && rest.toLocaleLowerCase() === myName.toLocaleLowerCase() && !/[\p{L}\p{N}_-]/u.test(after);
  return { mention: mine ? `@${rest}` : found[0], mine };
}
