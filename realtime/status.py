"""What happens to streams reaches their rooms: one node takes each event and tells the room's channel.

A repeated or late event changes nothing: the room keeps the later state, and `ended` for good, in the same step of
Redis that tells the nodes (`room_stream` in room.lua). That step also closes the chat of a stream that ended.
"""

from infra.bus.port import Bus, Message, Subscription
from media.events import STREAM_EVENTS, StreamChanged, StreamEnded
from realtime.ports import StreamSnapshot
from realtime.room.streams import Streams

GROUP = "realtime"

_kinds: dict[str, type[StreamChanged]] = {kind.topic: kind for kind in STREAM_EVENTS}


async def follow_streams(bus: Bus, streams: Streams) -> Subscription:
    """Take stream events, shared among all nodes, until the subscription is closed."""

    async def take(message: Message) -> None:
        kind = _kinds.get(message.topic)
        if kind is None:  # an event of a later release
            return
        event = kind.from_message(message)
        reason = event.reason if isinstance(event, StreamEnded) else None
        await streams.put(snapshot_of(event), reason=reason)

    return await bus.subscribe(GROUP, ["stream.*"], take)


def snapshot_of(event: StreamChanged) -> StreamSnapshot:
    """The state that an event tells."""
    return StreamSnapshot(
        id=event.stream_id,
        title=event.title,
        category=event.category,
        status=event.status,
        creator_id=event.creator_id,
        creator_name=event.creator_name,
        visibility=event.visibility,
        at=event.at,
    )
