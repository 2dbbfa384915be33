"""The life of a stream as a chart: readings and marks in MongoDB, kept for `KEEP_DAYS`.

Readings come from the sampler, marks from the events of streams; both carry an id that repeats with them, so that
whatever is told twice stands once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
from pymongo.errors import BulkWriteError

from infra.bus.port import Bus, Message, Subscription
from infra.stores.mongo import Collection, Mongo
from media.events import STREAM_EVENTS, StreamChanged, StreamDescribed, StreamEnded
from media.live.samples import LONGEST_STEP, Mark, MarkKind, Reading, Sample, bursts, down_sample, samples_of, step_for

READINGS = "stream_samples"
MARKS = "stream_marks"
GROUP = "timeline"
KEEP_DAYS = 400  # a year, and the same weeks of the year before to compare with
MOST_READINGS = 31_000  # 86 hours; read and folded in some 0.2 s
MOST_MARKS = 500
DUPLICATE = 11000

WORDS: dict[str, tuple[MarkKind, str]] = {
    "stream.went_live": ("went_live", "Went live"),
    "stream.interrupted": ("interrupted", "The encoder's connection dropped"),
    "stream.resumed": ("resumed", "The encoder came back"),
}
ENDS = {
    "stopped_by_creator": "Ended by the creator",
    "stopped_by_admin": "Ended by an admin",
    "encoder_gone": "Ended: the encoder did not come back",
}

_kinds: dict[str, type[StreamChanged]] = {kind.topic: kind for kind in STREAM_EVENTS}


class Raids(Protocol):
    """Where a channel sent its viewers."""

    async def raids(self, stream_id: str, since: datetime, until: datetime) -> Sequence[Mark]: ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a chart shows: at most so many samples, `step_seconds` apart unless there is a gap."""

    samples: list[Sample]
    marks: list[Mark]
    step_seconds: int


class Timeline:
    """Keeps and tells. Every method raises `MongoUnavailable`, and may be repeated."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._indexed: set[str] = set()

    async def keep(self, readings: Sequence[Reading]) -> int:
        """Store those whose stream and slot are new; returns how many that were."""
        documents = [
            {"_id": f"{one.stream_id}:{int(one.at.timestamp())}", **msgspec.structs.asdict(one)} for one in readings
        ]
        return await self._insert(READINGS, documents)

    async def mark(self, mark_id: str, stream_id: str, mark: Mark) -> None:
        """Store it; the same id again changes nothing."""
        await self._insert(MARKS, [{"_id": mark_id, "stream_id": stream_id, **msgspec.structs.asdict(mark)}])

    async def between(self, stream_id: str, since: datetime, until: datetime, points: int, raids: Raids) -> Told:
        """The samples from `since` up to `until`, at most `points` (2 or more) of them, and the marks."""
        # One reading more: what was said before the first one that is shown.
        readings, marks, sent = await asyncio.gather(
            self._find(READINGS, stream_id, since - LONGEST_STEP, until, MOST_READINGS),
            self._find(MARKS, stream_id, since, until, MOST_MARKS),
            raids.raids(stream_id, since, until),
        )
        samples = [one for one in samples_of(msgspec.convert(readings, list[Reading])) if one.at >= since]
        step_seconds = step_for(samples[0].at, samples[-1].at, points) if samples else step_for(since, since, points)
        all_marks = [*msgspec.convert(marks, list[Mark]), *sent, *bursts(samples)]
        return Told(down_sample(samples, step_seconds), sorted(all_marks, key=lambda mark: mark.at), step_seconds)

    async def _find(self, name: str, stream_id: str, since: datetime, until: datetime, most: int) -> list[Any]:
        wanted = {"stream_id": stream_id, "at": {"$gte": since, "$lt": until}}
        async with self._mongo.analytics(name) as collection:
            found = await collection.find(wanted, {"_id": 0}).sort("at", -1).limit(most).to_list()
        return found[::-1]

    async def _insert(self, name: str, documents: Sequence[dict[str, Any]]) -> int:
        async with self._mongo.collection(name) as collection:
            await self._index(name, collection)
            try:
                return len((await collection.insert_many(documents, ordered=False)).inserted_ids)
            except BulkWriteError as failure:
                if any(error["code"] != DUPLICATE for error in failure.details["writeErrors"]):
                    raise
                return int(failure.details["nInserted"])

    async def _index(self, name: str, collection: Collection) -> None:
        if name in self._indexed:
            return
        await collection.create_index([("stream_id", 1), ("at", 1)])
        await collection.create_index([("at", 1)], expireAfterSeconds=KEEP_DAYS * 86_400)
        self._indexed.add(name)


async def follow_marks(bus: Bus, timeline: Timeline) -> Subscription:
    """Mark what happens to streams, shared among all workers, until the subscription is closed."""

    async def take(message: Message) -> None:
        kind = _kinds.get(message.topic)
        if kind is None:  # an event of a later release
            return
        event = kind.from_message(message)
        if found := mark_of(event):
            await timeline.mark(message.id, event.stream_id, found)

    return await bus.subscribe(GROUP, ["stream.*"], take)


def mark_of(event: StreamChanged) -> Mark | None:
    """What an event is on the chart; None for what happens before the chart begins."""
    match event:
        case StreamDescribed():
            return Mark(event.at, "described", _description(event))
        case StreamEnded(reason="never_started"):
            return None
        case StreamEnded():
            return Mark(event.at, "ended", ENDS.get(event.reason, "Ended"))
    kind, text = WORDS.get(event.topic, (None, ""))
    return Mark(event.at, kind, text) if kind else None


def _description(event: StreamDescribed) -> str:
    if event.title != event.previous_title:
        return f"New title: {event.title}"
    return f"New category: {event.category}" if event.category else "No category any more"
