"""What a person said in a channel, from the archive of its rooms. Pure but for `MongoSaid`."""

from collections.abc import Iterable, Sequence
from typing import Any

from infra.stores.mongo import Document, Mongo
from realtime.archive.mongo import COLLECTION
from realtime.moderation.people import Said


class MongoSaid:
    """`realtime.moderation.people.SaidArchive` over MongoDB; raises `MongoUnavailable`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._indexed = False

    async def said(
        self, stream_ids: Sequence[str], user_id: str, before: tuple[int, str] | None, limit: int
    ) -> list[Said]:
        """Newest first, after the message `(at, id)`; those that were removed say so."""
        wanted: dict[str, Any] = {"user.id": user_id, "kind": "message", "stream_id": {"$in": list(stream_ids)}}
        if before is not None:
            at, message_id = before
            wanted["$or"] = [{"at": {"$lt": at}}, {"at": at, "id": {"$lt": message_id}}]
        async with self._mongo.collection(COLLECTION) as entries:
            if not self._indexed:
                await entries.create_index([("user.id", 1), ("at", -1), ("id", -1)])
                await entries.create_index([("stream_id", 1), ("mark", 1)])
                self._indexed = True
            found = await entries.find(wanted).sort([("at", -1), ("id", -1)]).limit(limit).to_list()
            decisions = await entries.find(_about(found, user_id)).to_list() if found else []
        return [_said(message, decisions) for message in found]


def _about(messages: Sequence[Document], user_id: str) -> dict[str, Any]:
    """A query for all that removed or restored any of these messages."""
    own = [f"{user_id} {message['id']}" for message in messages]
    marks = ["!*", f"!u {user_id}", *(f"!m {mark}" for mark in own)]
    streams = sorted({message["stream_id"] for message in messages})
    return {
        "stream_id": {"$in": streams},
        "$or": [{"mark": {"$in": marks}}, {"kind": "restored", "mark": {"$in": own}}],
    }


def _said(message: Document, decisions: Iterable[Document]) -> Said:
    return Said(
        id=message["id"],
        stream_id=message["stream_id"],
        text=message["text"],
        at=int(message["at"]),  # BSON has a type of its own for 64 bits, which nothing else encodes
        removed=is_removed(message, decisions),
    )


def is_removed(message: Document, decisions: Iterable[Document]) -> bool:
    """Whether the last thing that was decided about a message is that it goes."""
    own = f"{message['user']['id']} {message['id']}"
    removing = {"!*", f"!u {message['user']['id']}", f"!m {own}"}
    about = [
        decision
        for decision in decisions
        if decision["stream_id"] == message["stream_id"]
        and (decision["mark"] in removing or (decision["kind"] == "restored" and decision["mark"] == own))
        and _stands_after(decision, message)
    ]
    return bool(about) and max(about, key=lambda decision: (decision["at"], decision["offset"]))["mark"] != own


def _stands_after(decision: Document, message: Document) -> bool:
    """By offset; a log that was lost began again, and then only the time can tell."""
    if decision.get("epoch") == message.get("epoch"):
        return bool(decision["offset"] > message["offset"])
    return bool(decision["at"] >= message["at"])
