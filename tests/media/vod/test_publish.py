"""What viewers are told of is there."""

from pathlib import Path
from typing import Any, cast

from infra.stores.postgres import Postgres
from media.vod.plan import AUDIO, Segment
from media.vod.publish import Publisher
from media.vod.task_repository import Lease
from tests.media.vod.work import Work, a_plan


class Stored:
    """The keys that were stored, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def call(self, what: str, **named: Any) -> None:
        assert what == "put_object"
        self.names.append(named["Key"].split("/", 3)[3])


class Told:
    """What a viewer could have asked for when the video was said to be playable."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.names: set[str] = set()

    async def playable(self, *_: Any) -> None:
        self.names = set(self.stored.names)


def a_segment(folder: Path, rendition: str) -> Segment:
    for name in ("init.mp4", "0.m4s"):
        file = folder / rendition / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"0")
    return Segment(rendition=rendition, number=0, duration_seconds=2.0, size_bytes=1)


async def leases_of(work: Work) -> dict[str, Lease]:
    found = [await work.claimed() for _ in range(3)]
    return {lease.kind: lease for lease in found}


async def test_a_video_that_can_be_played_has_every_playlist_its_master_names(db: Postgres, tmp_path: Path) -> None:
    """The task of the sound has stored its first segment, and stands still before it writes its playlist."""
    work, stored, news = Work(db), Stored(), list[str]()
    await work.prepared(a_plan())
    leases, told = await leases_of(work), Told(stored)

    async def heard(lease: Lease) -> None:
        news.append(lease.video_id)

    publisher = Publisher(cast(Any, stored), cast(Any, told), work.leases, on_playable=heard)
    await work.leases.add_segments(leases["audio"], [a_segment(tmp_path, AUDIO)])
    await publisher.segments(leases["low"], tmp_path, [a_segment(tmp_path, "240p")])
    assert told.names >= {"index.m3u8", "240p.m3u8", "audio.m3u8", "240p/0.m4s"}
    assert news == [leases["low"].video_id]
