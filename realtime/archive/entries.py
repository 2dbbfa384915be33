"""Entries on their way from a room's log into the archive: what they are, without any I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

DUPLICATE_KEY = 11000  # MongoDB's code: the archive has this entry already
Document = dict[str, Any]


class Row(NamedTuple):
    """One entry as the log keeps it; the epoch is that of the life of the log that it was said in."""

    offset: int
    epoch: str
    entry: bytes
    mark: bytes = b"!"


@dataclass(frozen=True, slots=True)
class Batch:
    """The oldest entries that the archive lacks. `gone` counts those a lost log took with it, unread."""

    newest: int
    archived: int
    gone: int = 0
    rows: list[Row] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Entries the archive lacks, these among them."""
        return max(0, self.newest - self.archived)


def document(room: str, row: Row) -> Document:
    """What is stored: the entry's own fields with its epoch, under an id that makes a repeat a duplicate.

    `{_id: "stream:epoch:offset", stream_id, epoch, offset, mark, kind, id, user, text, at, ...}`. What was removed is
    kept here, for moderators; `realtime.archive.reader` is what others may see.
    """
    entry: Document = msgspec.json.decode(row.entry)
    place = {"_id": f"{room}:{row.epoch}:{row.offset}", "stream_id": room, "epoch": row.epoch}
    return {**entry, **place, "mark": row.mark.decode()}


def only_duplicates(details: Mapping[str, Any]) -> bool:
    """Whether an unordered insert (a BulkWriteError's details) failed for nothing but what is there already."""
    errors = details.get("writeErrors", [])
    return not details.get("writeConcernErrors") and all(error.get("code") == DUPLICATE_KEY for error in errors)
