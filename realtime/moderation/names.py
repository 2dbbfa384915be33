"""Whom a name means, when all there is is the name."""

from collections.abc import Sequence
from typing import Protocol

from infra.stores.postgres import Postgres
from realtime.entries import Person
from realtime.moderation.errors import AmbiguousUser, UnknownUser

MOST = 20  # names are not unique; more of one than this are no list to choose from


class FindPeople(Protocol):
    async def by_name(self, name: str) -> Sequence[Person]:
        """Everybody of that name, in any case, the oldest account first, at most `MOST`."""


class PeopleByName:
    """Asks PostgreSQL; raises `Unavailable` when that does not answer."""

    def __init__(self, db: Postgres) -> None:
        self._db = db

    async def by_name(self, name: str) -> list[Person]:
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                "SELECT id, display_name FROM users WHERE lower(display_name) = lower($1) ORDER BY id LIMIT $2",
                name, MOST,
            )  # fmt: skip
        return [Person(id=str(row["id"]), name=row["display_name"]) for row in rows]


def the_one(found: Sequence[Person]) -> Person:
    """Raises `UnknownUser`, or `AmbiguousUser` with all of them."""
    if not found:
        raise UnknownUser
    if len(found) > 1:
        raise AmbiguousUser(users=[{"id": one.id, "name": one.name} for one in found])
    return found[0]
