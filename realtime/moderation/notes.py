"""Notes about people that a channel's moderators share. Nobody else ever sees them."""

import msgspec
from asyncpg import Record

from accounts.model import Identity
from infra.clock import Clock, NewId
from infra.errors import NotFound
from infra.stores.postgres import Connection, Postgres
from realtime.entries import Person
from realtime.moderation import repository
from realtime.moderation.access import admitted, person_here
from realtime.moderation.errors import TooManyOfThese

MOST_NOTES = 100


class NoteGone(NotFound):
    code = "mod.note_gone"
    message = "There is no such note."


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """`at` in Unix milliseconds; the author's name is that of the time."""

    id: str
    text: str
    at: int
    author: Person


class Notes:
    """Any moderator may write and remove them."""

    def __init__(self, db: Postgres, *, clock: Clock, new_id: NewId) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id

    async def add(self, identity: Identity, channel_id: str, user_id: str, text: str) -> Note:
        """Raises `NotAllowed`, `UnknownUser`, `TooManyOfThese`."""
        async with self._db.transaction() as connection:
            author = await admitted(connection, channel_id, identity, "see_private")
            await person_here(connection, channel_id, user_id)
            if len(await of_person(connection, channel_id, user_id)) >= MOST_NOTES:
                raise TooManyOfThese(max=MOST_NOTES)
            row = await connection.fetchrow(
                "INSERT INTO moderator_notes (id, channel_id, user_id, by_id, by_name, text, at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *",
                self._new_id(), channel_id, user_id, author.id, author.name, text, self._clock(),
            )  # fmt: skip
        return _note(row)

    async def remove(self, identity: Identity, channel_id: str, user_id: str, note_id: str) -> None:
        """Raises `NotAllowed`, `NoteGone`."""
        async with self._db.transaction() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            if not repository.is_id(note_id) or not repository.is_id(user_id):
                raise NoteGone
            status = await connection.execute(
                "DELETE FROM moderator_notes WHERE channel_id = $1 AND user_id = $2 AND id = $3",
                channel_id, user_id, note_id,
            )  # fmt: skip
        if status == "DELETE 0":
            raise NoteGone


async def of_person(connection: Connection, channel_id: str, user_id: str) -> list[Note]:
    """All of them, newest first."""
    rows = await connection.fetch(
        "SELECT * FROM moderator_notes WHERE channel_id = $1 AND user_id = $2 ORDER BY at DESC, id DESC",
        channel_id, user_id,
    )  # fmt: skip
    return [_note(row) for row in rows]


def _note(row: Record | None) -> Note:
    if row is None:
        raise NoteGone
    author = Person(id=str(row["by_id"]), name=row["by_name"])
    return Note(id=str(row["id"]), text=row["text"], at=repository.in_ms(row["at"]), author=author)
