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
SAID = frozenset({"message", "announcement", "gift"})
SAID_ORDER = [("at", 1), ("offset", 1)]
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


class Said(NamedTuple):
    """A page of what was said, as it stands now.

    `next`: where to go on (a millisecond, and how many of its entries were read), None at the end. `revision` grows
    with every removal in the room: with another one, what one has read before may not hold.
    """

    entries: list[dict[str, Any]]
    next: tuple[int, int] | None
    revision: int


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

    async def said(
        self, stream_id: str, since_ms: int, until_ms: int, after: tuple[int, int] | None = None, limit: int = 100
    ) -> Said:
        """Messages and announcements of a time, `until_ms` not included, by when they were said; without what was
        removed and not brought back. `after`: `next` of the page before. A page may have fewer than `limit`."""
        since_ms, skipped = after or (since_ms, 0)
        wanted, limit = said_query(stream_id, since_ms, until_ms), min(limit, MAX_LIMIT)
        async with self._mongo.collection(COLLECTION) as stored:
            order = await _epochs(stored, stream_id)
            marks = {"stream_id": stream_id, "mark": REMOVAL_MARKS}
            removals = await stored.find(marks, {"mark": 1, "epoch": 1, "offset": 1}).to_list()
            found = await stored.find(wanted).sort(SAID_ORDER).skip(skipped).limit(limit + 1).to_list()
            page = [one for one in found[:limit] if one["epoch"] in order and one["kind"] in SAID]
            repeated = await _said_before(stored, stream_id, order, page)
            gone = Gone(order, [removal for removal in removals if removal["epoch"] in order])
            restored = await _restored(stored, stream_id, gone, [one for one in page if gone.covers(one)])
        kept = [one for one in page if one["_id"] not in repeated and (one["mark"] in restored or not gone.covers(one))]
        after = _next(found[:limit], since_ms, skipped) if len(found) > limit else None
        return Said([_entry(one) for one in kept], after, len(removals))


def said_query(stream_id: str, since_ms: int, until_ms: int) -> dict[str, Any]:
    """One range of the index by time. Its kinds are sorted out afterwards: nearly all are messages, and asked for
    several kinds a planner may leave the index aside."""
    return {"stream_id": stream_id, "at": {"$gte": since_ms, "$lt": until_ms}}


def _next(page: Sequence[Document], since_ms: int, skipped: int) -> tuple[int, int]:
    """The last millisecond of a page, and how many of its entries were read."""
    at = int(page[-1]["at"])
    return at, sum(one["at"] == at for one in page) + (skipped if at == since_ms else 0)


async def _restored(stored: Stored, stream_id: str, gone: Gone, covered: Sequence[Document]) -> set[str]:
    """The marks of those that were brought back and not removed again."""
    if not covered:
        return set()
    wanted = {"stream_id": stream_id, "kind": "restored", "mark": {"$in": [one["mark"] for one in covered]}}
    found = await stored.find(wanted, {"mark": 1, "epoch": 1, "offset": 1}).to_list()
    return {one["mark"] for one in found if not gone.covers(one)}


def public(document: Document, gone: Gone, repeated: Collection[str]) -> PublicLine:
    """The line for anybody; `repeated`: ids of the documents that say again what stands before."""
    place = Place(document["epoch"], int(document["offset"]))
    if gone.covers(document) or document["_id"] in repeated:
        stone = tombstone(Line(place.offset, b""), document["stream_id"])
        return PublicLine(place, msgspec.json.decode(stone.entry))
    return PublicLine(place, _entry(document))


def _entry(document: Document) -> dict[str, Any]:
    return {name: _plain(value) for name, value in document.items() if name not in OWN_FIELDS}


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
