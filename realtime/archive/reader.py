"""A room's history as anybody may read it, from the archive.

Order. Within one life of a log (an epoch) offsets say it. Epochs are random and offsets are given out again after a
shard was lost, so epochs follow each other by the time of their first entry.

Removals are looked for over the whole stream, whenever they were archived: one covers what its mark names in all
earlier epochs, and at lower offsets of its own. The archive is about a second behind the log, longer after it was
away; what is removed within that time is here for as long. A message that was said again in a later epoch (it was
acknowledged, and the replica that took over lacked it) is given once, in its first place.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from bson.int64 import Int64

from infra.stores.mongo import Collection as Stored
from infra.stores.mongo import Document, Mongo
from realtime.archive.mongo import COLLECTION
from realtime.room.log import Line
from realtime.room.redaction import covered_by, covers, tombstone

MAX_LIMIT = 500
OWN_FIELDS = ("_id", "epoch", "mark")
# Everything that begins with an exclamation mark and goes on: removals, without the many other control entries.
REMOVAL_MARKS = {"$gt": "!", "$lt": '"'}


class Place(NamedTuple):
    """Where a line stands in the history of a stream."""

    epoch: str
    offset: int


class PublicLine(NamedTuple):
    """One entry of the room's log as it was sent, or its tombstone `{offset, stream_id, kind: "removed"}`."""

    place: Place
    entry: dict[str, Any]


class Gone:
    """The removals of a stream, and what they cover; pure. `order` of the epochs, first to last."""

    def __init__(self, order: Sequence[str], removals: Iterable[Document]) -> None:
        self._number = {epoch: number for number, epoch in enumerate(order)}
        self._until: dict[bytes, tuple[int, int]] = {}
        for removal in removals:
            what = covered_by(removal["mark"].encode())
            if what is not None:
                self._until[what] = max(self._until.get(what, (-1, 0)), self._place(removal))

    def covers(self, document: Document) -> bool:
        """Whether a removal that stands after the line covers it."""
        mark, place = document.get("mark", "!").encode(), self._place(document)
        user = mark.removeprefix(b"+").partition(b" ")[0]
        candidates = (b"*", user, mark.removeprefix(b"+"))
        return any(self._until.get(what, (-1, 0)) > place and covers(what, mark) for what in candidates)

    def _place(self, document: Document) -> tuple[int, int]:
        return self._number[document["epoch"]], document["offset"]


class PublicArchive:
    """Raises `MongoUnavailable`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def entries(self, stream_id: str, after: tuple[str, int] | None = None, limit: int = 100) -> list[PublicLine]:
        """The next lines after the place `(epoch, offset)`, at most MAX_LIMIT; None for the beginning.

        An empty answer is the end of what is archived so far. A place of an epoch that is not there begins anew.
        """
        async with self._mongo.collection(COLLECTION) as stored:
            order = await _epochs(stored, stream_id)
            if not order:
                return []
            marks = {"stream_id": stream_id, "mark": REMOVAL_MARKS}
            removals = await stored.find(marks, {"mark": 1, "epoch": 1, "offset": 1}).to_list()
            found = await _page(stored, stream_id, order, after, min(limit, MAX_LIMIT))
            repeated = await _said_before(stored, stream_id, order, found)
        # An epoch that came meanwhile has no number yet: its removals are seen by the next look.
        gone = Gone(order, [removal for removal in removals if removal["epoch"] in order])
        return [public(document, gone, repeated) for document in found]


def public(document: Document, gone: Gone, repeated: Collection[str]) -> PublicLine:
    """The line for anybody; `repeated`: ids of the documents that say again what stands before."""
    place = Place(document["epoch"], int(document["offset"]))
    if gone.covers(document) or document["_id"] in repeated:
        stone = tombstone(Line(place.offset, b""), document["stream_id"])
        return PublicLine(place, msgspec.json.decode(stone.entry))
    return PublicLine(place, {name: _plain(value) for name, value in document.items() if name not in OWN_FIELDS})


def _plain(value: Any) -> Any:
    """BSON's own 64-bit integers are a type that nobody else encodes."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, Int64) else value


async def _epochs(stored: Stored, stream_id: str) -> list[str]:
    """First to last; nearly always there is one."""
    began = {}
    for epoch in await stored.distinct("epoch", {"stream_id": stream_id}):
        first = await stored.find_one({"stream_id": stream_id, "epoch": epoch}, sort=[("offset", 1)])
        if first is not None:
            began[epoch] = (first.get("at", 0), first["offset"], epoch)
    return sorted(began, key=lambda epoch: began[epoch])


async def _page(
    stored: Stored, stream_id: str, order: Sequence[str], after: tuple[str, int] | None, limit: int
) -> list[Document]:
    start = order.index(after[0]) if after is not None and after[0] in order else 0
    found: list[Document] = []
    for epoch in order[start:]:
        wanted: dict[str, Any] = {"stream_id": stream_id, "epoch": epoch}
        if after is not None and epoch == after[0]:
            wanted["offset"] = {"$gt": after[1]}
        rest = limit - len(found)
        if rest <= 0:
            break
        found += await stored.find(wanted).sort("offset", 1).limit(rest).to_list()
    return found


async def _said_before(
    stored: Stored, stream_id: str, order: Sequence[str], found: Sequence[Mapping[str, Any]]
) -> set[str]:
    """The ids of those documents whose message stands in an earlier epoch too."""
    later = [one for one in found if one.get("kind") == "message" and one["epoch"] != order[0]]
    if not later:
        return set()
    wanted = {"stream_id": stream_id, "kind": "message", "mark": {"$in": [one["mark"] for one in later]}}
    said: dict[str, set[str]] = {}
    async for one in stored.find(wanted, {"mark": 1, "epoch": 1}):
        said.setdefault(one["mark"], set()).add(one["epoch"])
    return {one["_id"] for one in later if said[one["mark"]] & set(order[: order.index(one["epoch"])])}
