"""What happened, as typed values: the base of every domain's `events.py`.

An event is published by the domain that owns the state, after the change was committed, by way of the outbox
(`infra/outbox.py`). Everybody else subscribes. `topic` is the stable name on the bus.
"""

from datetime import datetime
from typing import ClassVar, Self

import msgspec

from infra.bus.port import Message
from infra.clock import new_id
from infra.logs import correlation_id


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events. Subclasses set `topic` and add plain fields."""

    topic: ClassVar[str]
    at: datetime

    def to_message(self) -> Message:
        return Message(
            id=new_id(), topic=self.topic, body=msgspec.json.encode(self), at=self.at, correlation_id=correlation_id()
        )

    @classmethod
    def from_message(cls, message: Message) -> Self:
        return msgspec.json.decode(message.body, type=cls)
