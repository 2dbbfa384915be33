"""What waits on the disk: whole or not there, one owner at a time, cut into pieces that follow each other."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.clock import new_id
from media.recording.spool import Spool, Spooled
from media.recording.uploader import next_batch


def spooled(run: int, number: int, size_bytes: int = 1000) -> Spooled:
    return Spooled(Path("x"), run, number, number * 1_000_000, size_bytes)


def test_a_spool_has_one_owner_and_its_heir_finds_what_was_left(tmp_path: Path) -> None:
    owner, other = Spool.new(tmp_path, new_id), Spool.new(tmp_path, new_id)
    owner.shelf("stream", 1).put_header(1000, b"header")
    owner.shelf("stream", 1).put(1000, 7, 5_000_000, [b"one", b"two"])
    assert list(other.orphans()) == []
    with pytest.raises(BlockingIOError):
        Spool(tmp_path, owner.path.name)
    owner.release()
    (heir,) = other.orphans()
    (shelf,) = heir.shelves()
    assert (shelf.stream_id, shelf.connection, shelf.is_closed) == ("stream", 1, False)
    (segment,) = shelf.segments()
    assert (segment.run, segment.number, segment.started_us, segment.size_bytes) == (1000, 7, 5_000_000, 6)
    assert segment.path.read_bytes() == b"onetwo"
    shelf.remove()
    heir.release()
    assert not heir.path.exists()
    other.release()


def test_what_was_not_written_whole_is_not_there(tmp_path: Path) -> None:
    spool = Spool.new(tmp_path, new_id)
    shelf = spool.shelf("stream", 1)
    shelf.put(1000, 1, 0, [b"whole"])
    (shelf.path / "1000-2-0.m4s.part").write_bytes(b"hal")
    assert [segment.number for segment in shelf.segments()] == [1]
    spool.release()


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40)), max_size=60, unique=True), st.booleans())
def test_pieces_take_everything_once_and_have_no_holes(names: list[tuple[int, int]], is_closed: bool) -> None:
    waiting = [spooled(run, number) for run, number in sorted(names)]
    taken: list[Spooled] = []
    while batch := next_batch(waiting, is_closed=is_closed):
        assert [(one.run, one.number) for one in batch] == [
            (batch[0].run, batch[0].number + n) for n in range(len(batch))
        ]
        assert len(batch) <= 11
        taken += batch
        waiting = waiting[len(batch) :]
    assert is_closed <= (not waiting)
    assert len(waiting) <= 10
    assert sorted((one.run, one.number) for one in taken + waiting) == sorted(names)
