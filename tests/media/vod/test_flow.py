"""Segments on their way to viewers, while the encoder goes on."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.stores.objects import ObjectsUnavailable
from media.vod.flow import Flow
from media.vod.plan import Segment
from media.vod.publish import ready_of
from media.vod.task_repository import Lease
from tests.media.vod.work import a_plan, a_source

LEASE = Lease("v", "c", "b", "p", "low", 0, 1, 1, 0, a_source(), None, None)


class Sink:
    """Remembers what it got; while `away`, takes nothing."""

    def __init__(self, *, away: bool = False) -> None:
        self.got: list[int] = []
        self.away = away

    async def segments(self, lease: Lease, folder: Path, segments: Sequence[Segment]) -> None:
        if self.away:
            raise ObjectsUnavailable
        assert all((folder / one.rendition / f"{one.number}.m4s").exists() for one in segments)
        self.got += [one.number for one in segments]


class Encoder:
    """Makes so many segments."""

    def __init__(self, folder: Path, count: int) -> None:
        self.flow: Flow | None = None
        self.is_cancelled = False
        self._folder = folder / "240p"
        self._folder.mkdir()
        self._count = count

    async def __call__(self) -> list[Segment]:
        assert self.flow is not None
        try:
            for number in range(self._count):
                (self._folder / f"{number}.m4s").write_bytes(b"0")
                self.flow.made(Segment(rendition="240p", number=number, duration_seconds=2.0, size_bytes=1))
                await asyncio.sleep(0)
            if self._count == 1:
                await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return []


async def test_all_segments_arrive_once_and_in_order_and_their_files_go(tmp_path: Path) -> None:
    sink, encoder = Sink(), Encoder(tmp_path, 50)
    encoder.flow = Flow(sink, LEASE, tmp_path, known=set())
    await encoder.flow.while_running(encoder)
    assert sink.got == list(range(50))
    assert list((tmp_path / "240p").iterdir()) == []


async def test_what_an_earlier_attempt_stored_stays_as_it_is(tmp_path: Path) -> None:
    sink, encoder = Sink(), Encoder(tmp_path, 5)
    encoder.flow = Flow(sink, LEASE, tmp_path, known={("240p", 0), ("240p", 3)})
    await encoder.flow.while_running(encoder)
    assert sink.got == [1, 2, 4]


async def test_an_encoder_whose_segments_cannot_be_stored_is_stopped(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path, 1)
    encoder.flow = Flow(Sink(away=True), LEASE, tmp_path, known=set())
    with pytest.raises(ObjectsUnavailable):
        await encoder.flow.while_running(encoder)
    assert encoder.is_cancelled


async def test_an_encoder_that_fails_ends_the_flow(tmp_path: Path) -> None:
    flow = Flow(Sink(), LEASE, tmp_path, known=set())

    async def broken() -> list[Segment]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await flow.while_running(broken)


def test_nothing_is_shown_without_its_sound() -> None:
    assert ready_of(a_plan(), {"240p", "480p"}) == ()
    assert ready_of(a_plan(), {"480p", "240p", "audio"}) == ("240p", "480p")
    assert ready_of(a_plan(audio=False), {"480p"}) == ("480p",)
