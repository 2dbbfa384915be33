"""Where the bytes of a file come from, stretch by stretch, when several runs of the packager become one.

As long as all runs have the same header (an encoder that came back with the settings it had), their pieces are taken
as they are. Otherwise every run is encoded anew into one form, one at a time, by an ffmpeg that can do nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from infra.stores.objects import Objects
from media.packaging.boxes import FragmentReader, Header, parse_header
from media.recording.model import Piece
from media.recording.plan import Stretch
from media.recording.uploader import tracks_of
from media.vod.confine import INPUT_GUARD, Limits, run_confined

RATE = 30
STALL_SECONDS = 60.0
SPEED = 0.25  # at least this much of real time, on the slowest machine
READ_BYTES = 1 << 20
DISK_BYTES = 64 << 30


class Bytes(Protocol):
    """Where a piece's bytes are."""

    async def of(self, piece: Piece) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Joined:
    """Stretches that go into one file under one header."""

    header: bytes
    stretches: Sequence[Stretch]
    pieces: Bytes


class StoredPieces:
    """As they are in the object store."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def of(self, piece: Piece) -> bytes:
        """Raises `NoSuchObject`, `ObjectsUnavailable`."""
        return await self._objects.read(piece.key)


class FilePieces:
    """Slices of files on our disk: `{first segment: (file, offset)}`; each such piece has a number of its own."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[Path, int]] = {}

    def add(self, number: int, file: Path, offset: int) -> None:
        self._places[number] = (file, offset)

    async def of(self, piece: Piece) -> bytes:
        file, offset = self._places[piece.first_segment]
        return await asyncio.to_thread(_slice, file, offset, piece.size_bytes)


async def one_form(objects: Objects, stretches: Sequence[Stretch], ffmpeg: str, folder: Path) -> Joined:
    """Everything under one header. `folder`: for what has to be encoded anew; the caller removes it.

    Raises `ObjectsUnavailable`, `NoSuchObject`, `ChildFailed`, `ChildStalled`.
    """
    stored = StoredPieces(objects)
    headers = [await objects.read(stretch.pieces[0].header_key) for stretch in stretches]
    if len(set(headers)) == 1:
        return Joined(headers[0], stretches, stored)
    wanted = most_of(headers, stretches)
    files, made, header = FilePieces(), list[Stretch](), b""
    for number, (stretch, its_header) in enumerate(zip(stretches, headers, strict=True)):
        source, target = folder / f"{number}.mp4", folder / f"{number}-same.mp4"
        await _fetch(stored, its_header, stretch, source)
        limits = _limits(stretch)
        await run_confined(command(ffmpeg, source, target, wanted, its_header), folder=folder, limits=limits)
        await asyncio.to_thread(source.unlink)
        header, encoded = await _pieces_of(target, stretch, files)
        if encoded.pieces:
            made.append(encoded)
    return Joined(header, made, files)


def most_of(headers: Sequence[bytes], stretches: Sequence[Stretch]) -> Header:
    """The header whose picture was sent for the longest."""
    seconds: Counter[bytes] = Counter()
    for header, stretch in zip(headers, stretches, strict=True):
        seconds[header] += int(1000 * sum(piece.duration_seconds for piece in stretch.pieces))
    return parse_header(seconds.most_common(1)[0][0])


def command(ffmpeg: str, source: Path, target: Path, wanted: Header, header: bytes) -> tuple[str, ...]:
    """One form for all: the same size, rate, profile and sound, and silence where there is none."""
    width, height = wanted.width & ~1, wanted.height & ~1
    picture = (
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,"
        f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,fps={RATE},format=yuv420p"
    )
    has_sound = "mp4a" in parse_header(header).codecs
    silence = () if has_sound else ("-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo")
    return (
        ffmpeg, "-hide_banner", "-loglevel", "error", "-nostdin", "-progress", "pipe:1", *INPUT_GUARD, "-i",
        str(source), *silence, "-map", "0:v:0", "-map", "0:a:0" if has_sound else "1:a:0", "-shortest", "-vf", picture,
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-profile:v", "high", "-bf", "0", "-g", str(2 * RATE),
        "-threads", "1", "-c:a", "aac", "-b:a", "160k", "-ar", "48000", "-ac", "2", "-map_metadata", "-1",
        "-video_track_timescale", "90000", "-f", "mp4", "-frag_duration", "2000000", "-movflags",
        "empty_moov+default_base_moof+frag_keyframe+skip_trailer", "-y", str(target),
    )  # fmt: skip


def _limits(stretch: Stretch) -> Limits:
    seconds = sum(piece.duration_seconds for piece in stretch.pieces)
    wall_seconds = 60 + seconds / SPEED
    return Limits(wall_seconds, int(wall_seconds * 2), DISK_BYTES, STALL_SECONDS)


async def _fetch(stored: StoredPieces, header: bytes, stretch: Stretch, target: Path) -> None:
    await asyncio.to_thread(target.write_bytes, header)
    for piece in stretch.pieces:
        await asyncio.to_thread(_append, target, await stored.of(piece))


def _append(target: Path, data: bytes) -> None:
    with target.open("ab") as file:
        file.write(data)


async def _pieces_of(file: Path, stretch: Stretch, files: FilePieces) -> tuple[bytes, Stretch]:
    """What ffmpeg wrote, as a stretch that stands for the one it was made from: each fragment is a piece."""
    header, found = b"", Stretch()
    async for part, offset in _fragments(file):
        if not header:
            header = part
            continue
        number = (stretch.pieces[0].first_segment << 20) + len(found.pieces)
        files.add(number, file, offset)
        found.pieces.append(
            replace(
                stretch.pieces[0],
                first_segment=number,
                last_segment=number,
                size_bytes=len(part),
                tracks=tracks_of(header, part),
            )
        )
    found.pieces = [piece for piece in found.pieces if piece.tracks]
    return header, found


async def _fragments(file: Path) -> AsyncIterator[tuple[bytes, int]]:
    """The header, then each fragment, with where it begins."""
    reader, offset, at = FragmentReader(), 0, 0
    while data := await asyncio.to_thread(_slice, file, at, READ_BYTES):
        at += len(data)
        for found in reader.feed(data):
            yield found.data, offset
            offset += len(found.data)


def _slice(file: Path, offset: int, size_bytes: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(offset)
        return opened.read(size_bytes)
