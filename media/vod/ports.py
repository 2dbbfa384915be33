"""What the parts of video on demand need of each other, as small protocols filled in where the program is wired."""

from dataclasses import dataclass
from typing import Protocol

from infra.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Source:
    """A file to make a video of. `part_sums` are the SHA-256 of its parts as the sender named them, in order, each of
    `part_bytes` (the last may be shorter); empty when nobody named any."""

    video_id: str
    creator_id: str
    key: str
    size_bytes: int
    part_bytes: int = 0
    part_sums: tuple[bytes, ...] = ()
    sha256: bytes | None = None


class Transcoding(Protocol):
    """Who makes renditions: our own transcoders, or a service. All of it in the caller's transaction."""

    async def request(self, connection: Connection, source: Source) -> None:
        """Make a video of it. Asked twice for one video, it is done once."""
        ...

    async def again(self, connection: Connection, video_id: str) -> bool:
        """Begin anew what failed; false when there is nothing that failed."""
        ...

    async def is_under_way(self, connection: Connection, video_id: str) -> bool:
        """Whether it is being made; the answer holds until the transaction ends."""
        ...

    async def cancel(self, connection: Connection, video_id: str) -> None:
        """Stop, and forget: the video is being deleted."""
        ...
