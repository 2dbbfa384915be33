/** What could be meant by the word one is writing: an emote, a name or a command. Pure. */
import type { SlashCommand } from "../realtime/events";
import type { Emote } from "./emotes";

export interface Person {
  id: string;
  name: string;
}

export interface Known {
  emotes: readonly Emote[];
  people: readonly Person[];
  commands: readonly SlashCommand[];
}

export interface Option {
  key: string;
  /** What takes the place of the word. */
  insert: string;
  label: string;
  detail?: string;
  emote?: Emote;
  person?: Person;
}

export interface Completion {
  kind: "emote" | "person" | "command";
  /** Where the word stands in the text. */
  from: number;
  to: number;
  options: Option[];
}

/** No more than fit without scrolling over a phone's keyboard. */
const MOST = 6;

/** The completion at the caret; null when there is none. */
export function completionAt(text: string, caret: number, known: Known): Completion | null {
  const before = text.slice(0, caret);
  const command = /^\/([A-Za-z0-9]*)$/.exec(before);
  if (command) return completion("command", 0, caret, commandOptions(command[1]!, known.commands));
  const person = /(?:^|\s)(@([\p{L}\p{N}_-]*))$/u.exec(before);
  if (person) return completion("person", caret - person[1]!.length, caret, personOptions(person[2]!, known.people));
  const emote = /(?:^|\s)(:([A-Za-z0-9_]{2,}))$/.exec(before);
  if (emote) return completion("emote", caret - emote[1]!.length, caret, emoteOptions(emote[2]!, known.emotes));
  const named = /^\/[A-Za-z0-9]+\s+([\p{L}\p{N}_-]+)$/u.exec(before);
  if (named && takesPerson(text, known.commands)) {
    return completion("person", caret - named[1]!.length, caret, personOptions(named[1]!, known.people));
  }
  return null;
}

/** The chosen option when it stands there to the last letter and can be nobody else: then Enter sends instead of taking it. */
export function writtenOut({ kind, options }: Completion, word: string, at: number): Option | null {
  const plain = (written: string) => written.trim().replace(kind === "person" ? /^@/ : "", "").toLocaleLowerCase();
  const same = options.filter(({ insert }) => plain(insert) === plain(word));
  return same.length === 1 && same[0] === options[at] ? same[0]! : null;
}

const completion = (kind: Completion["kind"], from: number, to: number, options: Option[]): Completion | null =>
  options.length ? { kind, from, to, options } : null;

/** Those that begin so come first, then those that have it inside. */
function matching<Item>(items: readonly Item[], word: string, words: (item: Item) => readonly string[]): Item[] {
  const wanted = word.toLocaleLowerCase();
  const rank = (item: Item) => {
    const names = words(item).map((name) => name.toLocaleLowerCase());
    if (names.some((name) => name.startsWith(wanted))) return 0;
    return names.some((name) => name.includes(wanted)) ? 1 : 2;
  };
  return items.map((item) => ({ item, rank: rank(item) })).filter(({ rank: found }) => found < 2)
    .sort((one, other) => one.rank - other.rank).slice(0, MOST).map(({ item }) => item);
}

const commandOptions = (word: string, commands: readonly SlashCommand[]): Option[] =>
  matching(commands, word, ({ name, aliases }) => [name, ...aliases]).map(({ name, usage, summary }) => ({ key: name, insert: `/${name} `, label: usage, detail: summary }));

const personOptions = (word: string, people: readonly Person[]): Option[] =>
  matching(people, word, ({ name }) => [name]).map((person) => ({ key: person.id, insert: `@${person.name} `, label: person.name, person }));

const emoteOptions = (word: string, emotes: readonly Emote[]): Option[] =>
  matching(emotes, word, ({ code, keywords }) => [code, ...keywords]).map((emote) => ({ key: emote.code, insert: `:${emote.code}: `, label: `:${emote.code}:`, emote }));

const usageOf = (text: string, commands: readonly SlashCommand[]) => {
  const name = /^\/([A-Za-z0-9]+)/.exec(text)?.[1]?.toLowerCase();
  return name ? commands.find((command) => command.name === name || command.aliases.includes(name)) : undefined;
};

const takesPerson = (text: string, commands: readonly SlashCommand[]) => usageOf(text, commands)?.args[0]?.kind === "user";

/** Help for the command that is being written, once its name stands there. */
export const commandHelp = (text: string, commands: readonly SlashCommand[]): SlashCommand | null =>
  (/^\/[A-Za-z0-9]+\s/.test(text) && usageOf(text, commands)) || null;

/** Of the people whose names were completed, those whose names a line has. */
export function usersIn(line: string, chosen: ReadonlyMap<string, string>): Record<string, string> {
  const lower = line.toLocaleLowerCase();
  return Object.fromEntries([...chosen].filter(([name]) => lower.includes(name.toLocaleLowerCase())));
}
