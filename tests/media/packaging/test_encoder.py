"""What is known about keyframes before they come out, and ffmpeg's end."""

import asyncio
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from media.errors import EncoderDied
from media.ingest.flv import Kind, Tag
from media.packaging import encoder as module
from media.packaging.boxes import Fragment, Header
from media.packaging.encoder import Encoder, GopLedger
from media.packaging.packager import LOW
from tests.media.publisher import ffmpeg


@given(some.lists(some.integers(1, 60), min_size=2, max_size=20), some.integers(1, 10))
def test_the_ledger_knows_when_a_keyframe_follows(gops: list[int], most: int) -> None:
    ledger = GopLedger()
    for frames in gops:
        for frame in range(frames):
            ledger.entered(keyframe=frame == 0)
    for number, frames in enumerate(gops):
        left = frames
        while left:
            took = min(most, left)
            follows = ledger.left(independent=left == frames, frames=took)
            left -= took
            assert follows == (left == 0 and number < len(gops) - 1)


def test_the_ledger_recovers_from_a_lost_frame() -> None:
    ledger = GopLedger()
    for frame in range(31):
        ledger.entered(keyframe=frame % 10 == 0)
    assert not ledger.left(independent=True, frames=9)  # one is missing
    assert ledger.left(independent=True, frames=10)
    assert ledger.left(independent=True, frames=10)


def ignore(found: Header | Fragment, follows: bool) -> None:
    """These tests are about ffmpeg's life."""


async def test_an_ffmpeg_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(EncoderDied, match=r"could not be started|ended unexpectedly"):
        encoder = await Encoder.start("/nowhere/ffmpeg", LOW, ignore)
        try:
            while True:  # where setpriv wraps it, the failure comes with the first bytes
                await encoder.send(Tag(Kind.VIDEO, 0, bytes(100_000)))
                await asyncio.sleep(0.01)
        finally:
            await encoder.finish()


async def test_a_killed_ffmpeg_is_noticed_by_the_next_tag() -> None:
    encoder = await Encoder.start(ffmpeg(), LOW, ignore)
    encoder.open_file(with_audio=False)
    os.kill(encoder.pid, signal.SIGKILL)
    with pytest.raises(EncoderDied):
        while True:
            await encoder.send(Tag(Kind.VIDEO, 0, b"\x17\x00" + bytes(5000)))
            await asyncio.sleep(0.01)
    await encoder.finish()
    assert not encoder.alive


async def test_a_hanging_ffmpeg_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.2)  # the same rule in less time
    encoder = await Encoder.start(ffmpeg(), LOW, ignore)
    os.kill(encoder.pid, signal.SIGSTOP)
    with pytest.raises(EncoderDied, match="hangs"):
        for _ in range(100):
            await encoder.send(Tag(Kind.VIDEO, 0, bytes(100_000)))
    await encoder.finish()
    assert not encoder.alive
