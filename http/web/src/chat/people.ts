/** The list of who is here as it grows page by page: pure. */
import type { Chatters, User } from "../realtime/events";

export interface People {
  users: User[];
  next: string | null;
  total: number;
  anonymous: number;
}

/** Add a page. Somebody who comes twice (another name, another role) stands where the newer page puts them. */
export function withPage(before: People | null, page: Chatters): People {
  const fresh = new Set(page.users.map((user) => user.id));
  const kept = before?.users.filter((user) => !fresh.has(user.id)) ?? [];
  return { users: [...kept, ...page.users], next: page.next, total: page.total, anonymous: page.anonymous };
}

/** "Nobody is signed in", "3 people and 1 guest". */
export function peopleWords({ total, anonymous }: Pick<People, "total" | "anonymous">): string {
  const people = total === 1 ? "1 person" : `${total.toLocaleString("en")} people`;
  const guests = anonymous === 1 ? "1 guest" : `${anonymous.toLocaleString("en")} guests`;
  if (total === 0) return anonymous === 0 ? "Nobody yet" : guests;
  return anonymous === 0 ? people : `${people} and ${guests}`;
}
