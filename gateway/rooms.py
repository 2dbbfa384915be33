"""What a room needs to know of its stream, answered from the streams domain."""

from media.errors import StreamNotFound
from media.live.streams import Streams
from realtime.ports import StreamSnapshot


class RoomStreams:
    """`realtime.ports.StreamLookup` over `media.live.Streams`; asked only when a room is cold."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        try:
            stream = await self._streams.get(stream_id)
        except StreamNotFound:
            return None
        return StreamSnapshot(
            id=stream.id,
            title=stream.title,
            category=stream.category,
            status=stream.status,
            creator_id=stream.creator_id,
            creator_name=stream.creator_name,
            visibility=stream.visibility,
            at=stream.changed_at,
        )
