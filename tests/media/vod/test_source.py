"""Fetching sources from a real object store."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.settings import ObjectSettings
from infra.stores.objects import Objects, open_objects
from media.vod.errors import ScratchFull, SourceDamaged, SourceGone
from media.vod.ports import Source
from media.vod.scratch import Scratch, open_scratch
from media.vod.source import Sources
from tests.media.vod.work import a_source

DATA = os.urandom(100_000)
RANGE_BYTES = 7_000  # many ranges, the last one shorter


@pytest.fixture
async def objects(objects_settings: ObjectSettings) -> AsyncIterator[Objects]:
    async with open_objects(objects_settings) as objects:
        yield objects


@pytest.fixture
async def source(objects: Objects) -> Source:
    """With sums of parts that fit no range."""
    source = a_source(size_bytes=len(DATA))
    await objects.call("put_object", Key=source.key, Body=DATA)
    parts = [DATA[start : start + 30_000] for start in range(0, len(DATA), 30_000)]
    return replace(source, part_bytes=30_000, part_sums=tuple(hashlib.sha256(part).digest() for part in parts))


def sources_of(objects: Objects, folder: Path, budget_bytes: int = 1 << 30) -> Sources:
    return Sources(objects, Scratch(folder, budget_bytes), range_bytes=RANGE_BYTES)


async def test_a_source_comes_whole_once_for_all_who_need_it(objects: Objects, source: Source, tmp_path: Path) -> None:
    sources = sources_of(objects, tmp_path)

    async def read() -> tuple[bytes, Path, bytes]:
        async with sources.hold(source) as fetched:
            return fetched.file.read_bytes(), fetched.file, fetched.sha256

    read_by_all = await asyncio.gather(*(read() for _ in range(3)))
    assert {data for data, _, _ in read_by_all} == {DATA}
    assert {sums for _, _, sums in read_by_all} == {hashlib.sha256(DATA).digest()}
    assert len({file for _, file, _ in read_by_all}) == 1
    await sources.tidy(idle_seconds=0)
    assert not read_by_all[0][1].exists()


async def test_another_file_than_was_uploaded_is_refused(objects: Objects, source: Source, tmp_path: Path) -> None:
    sources = sources_of(objects, tmp_path)
    wrong = [
        replace(source, size_bytes=len(DATA) - 1),
        replace(source, part_sums=(*source.part_sums[:-1], b"\0" * 32)),
        replace(source, part_sums=source.part_sums[:-1]),
        replace(source, sha256=b"\0" * 32),
    ]
    for one in wrong:
        with pytest.raises(SourceDamaged):
            async with sources.hold(one):
                pass
    with pytest.raises(SourceGone):
        async with sources.hold(replace(source, key="uploads/gone")):
            pass
    assert list((tmp_path / "sources").iterdir()) == []


async def test_unused_sources_make_room_and_used_ones_do_not(objects: Objects, source: Source, tmp_path: Path) -> None:
    other = a_source(size_bytes=len(DATA))
    await objects.call("put_object", Key=other.key, Body=DATA)
    sources = sources_of(objects, tmp_path, budget_bytes=150_000)
    async with sources.hold(source):
        with pytest.raises(ScratchFull):
            async with sources.hold(other):
                pass
    async with sources.hold(other) as fetched:
        assert fetched.file.read_bytes() == DATA
    await sources.close()
    assert list((tmp_path / "sources").iterdir()) == []


async def test_who_gives_up_waiting_does_not_take_it_from_the_others(
    objects: Objects, source: Source, tmp_path: Path
) -> None:
    sources = sources_of(objects, tmp_path)

    async def read() -> bytes:
        async with sources.hold(source) as fetched:
            return fetched.file.read_bytes()

    impatient, patient = asyncio.create_task(read()), asyncio.create_task(read())
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == DATA


async def test_all_who_wait_for_a_source_hear_that_it_is_coming(
    objects: Objects, source: Source, tmp_path: Path
) -> None:
    sources, heard = sources_of(objects, tmp_path), [0, 0]

    async def read(number: int) -> None:
        def alive() -> None:
            heard[number] += 1

        async with sources.hold(source, alive):
            pass

    await asyncio.gather(read(0), read(1))
    assert heard[0] == heard[1] > 1


def test_folders_of_dead_processes_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "source").write_bytes(DATA)
    with open_scratch(str(tmp_path), 1 << 30) as first, open_scratch(str(tmp_path), 1 << 30) as second:
        assert not dead.exists()
        assert first.root.exists()
        assert second.root != first.root
    assert not first.root.exists()


def test_what_is_written_counts(tmp_path: Path) -> None:
    with open_scratch(str(tmp_path), 200_000) as scratch, scratch.folder("task") as folder:
        scratch.check()
        (folder / "a").write_bytes(DATA)
        (folder / "b").write_bytes(DATA)
        (folder / "c").write_bytes(b"1")
        with pytest.raises(ScratchFull):
            scratch.check()
