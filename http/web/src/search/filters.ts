/** What is asked of search, as it stands in the address. Pure. */
import type { SearchWanted } from "../api/videos";

export const LENGTHS = { any: "Any length", short: "Under 4 minutes", medium: "4 to 20 minutes", long: "Over 20 minutes" } as const;
export const AGES = { any: "Any time", day: "Last 24 hours", week: "Last 7 days", month: "Last 30 days", year: "Last 12 months" } as const;
export const PRICES = { any: "All videos", free: "Free", premium: "Premium" } as const;
export const SORTS = { relevance: "Best match", newest: "Newest", views: "Most viewed" } as const;

export type Chosen = { q: string; length: keyof typeof LENGTHS; age: keyof typeof AGES; price: keyof typeof PRICES; sort: keyof typeof SORTS; category: string };

const DAYS = { day: 1, week: 7, month: 30, year: 365 } as const;
const SECONDS = { short: [null, 240], medium: [240, 1200], long: [1200, null] } as const;

const oneOf = <Key extends string>(value: string | null, known: Record<Key, unknown>, otherwise: Key): Key => (value !== null && value in known ? (value as Key) : otherwise);

export function read(params: URLSearchParams): Chosen {
  return {
    q: params.get("q") ?? "",
    length: oneOf(params.get("length"), LENGTHS, "any"),
    age: oneOf(params.get("age"), AGES, "any"),
    price: oneOf(params.get("price"), PRICES, "any"),
    sort: oneOf(params.get("sort"), SORTS, "relevance"),
    category: params.get("category") ?? "",
  };
}

/** The address of a choice, without what is not chosen. */
export function write(chosen: Chosen): URLSearchParams {
  const entries = Object.entries(chosen).filter(([name, value]) => value && value !== "any" && !(name === "sort" && value === "relevance"));
  return new URLSearchParams(entries as [string, string][]);
}

export function wantedOf(chosen: Chosen, now: number): SearchWanted {
  const [min, max] = chosen.length === "any" ? [null, null] : SECONDS[chosen.length];
  return {
    q: chosen.q,
    category: chosen.category,
    min_seconds: min,
    max_seconds: max,
    from: chosen.age === "any" ? null : new Date(now - DAYS[chosen.age] * 86_400_000).toISOString(),
    premium: chosen.price === "any" ? null : chosen.price === "premium",
    sort: chosen.sort,
  };
}

/** Whether anything but the words narrows the search. */
export const narrowed = (chosen: Chosen) => chosen.length !== "any" || chosen.age !== "any" || chosen.price !== "any" || chosen.category !== "";

/** The categories one can choose: those met so far and the chosen one, each once whatever its case, in order. */
export function categoriesOf(known: string[], met: (string | null)[], chosen: string): string[] {
  const byName = new Map<string, string>();
  for (const name of [chosen, ...known, ...met]) if (name && !byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), name);
  return [...byName.values()].sort((a, b) => a.localeCompare(b));
}
