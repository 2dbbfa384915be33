"""Where recorded segments wait on the disk until they are stored: one folder for each process, one in it for each
connection of an encoder. Every file is whole or not there, so that a killed process leaves nothing half.

    <root>/<process>/lock                                      held as long as the process lives
    <root>/<process>/<stream id>/<connection>/<run>-init.mp4
    <root>/<process>/<stream id>/<connection>/<run>-<segment>-<microseconds of the wall clock>.m4s
    <root>/<process>/<stream id>/<connection>/closed           nothing follows

All of it blocks: it is called in threads.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.clock import NewId

LOCK, CLOSED, INIT, SUFFIX = "lock", "closed", "-init.mp4", ".m4s"


@dataclass(frozen=True, slots=True)
class Spooled:
    """One segment on the disk."""

    path: Path
    run: int
    number: int
    started_us: int
    size_bytes: int


class Shelf:
    """The folder of one connection."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def stream_id(self) -> str:
        return self.path.parent.name

    @property
    def connection(self) -> int:
        return int(self.path.name)

    def open(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Nothing follows."""
        self.open()
        (self.path / CLOSED).touch()

    @property
    def is_closed(self) -> bool:
        return (self.path / CLOSED).exists()

    def header(self, run: int) -> bytes:
        return (self.path / f"{run}{INIT}").read_bytes()

    def put_header(self, run: int, data: bytes) -> None:
        if not (self.path / f"{run}{INIT}").exists():
            self._put(f"{run}{INIT}", [data])

    def put(self, run: int, number: int, started_us: int, parts: Sequence[bytes]) -> None:
        """Raises `OSError` when the disk does not take it; then nothing of it is there."""
        self._put(f"{run}-{number}-{started_us}{SUFFIX}", parts)

    def segments(self) -> list[Spooled]:
        """In the order they were made."""
        found = [self._spooled(path) for path in self.path.glob(f"*{SUFFIX}")]
        return sorted(found, key=lambda one: (one.run, one.number))

    def remove(self) -> None:
        """Everything of this connection, and the stream's folder when it was the last."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):  # others of its connections are there
            self.path.parent.rmdir()

    def _spooled(self, path: Path) -> Spooled:
        run, number, started_us = (int(word) for word in path.name.removesuffix(SUFFIX).split("-"))
        return Spooled(path, run, number, started_us, path.stat().st_size)

    def _put(self, name: str, parts: Sequence[bytes]) -> None:
        unfinished = self.path / f"{name}.part"
        try:
            self.open()
            with unfinished.open("wb") as file:
                file.writelines(parts)
            unfinished.rename(self.path / name)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise


class Spool:
    """The folder of one process, locked while it is open. `adopt` takes over what dead processes left beside it."""

    def __init__(self, root: Path, name: str) -> None:
        """Raises `BlockingIOError` when somebody holds it, `FileNotFoundError` when it was just removed."""
        self._root = root
        self.path = root / name
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(self._lock).st_ino != (self.path / LOCK).stat().st_ino:
                raise BlockingIOError  # its last owner has removed it since we opened it
        except OSError:
            os.close(self._lock)
            raise

    def shelf(self, stream_id: str, connection: int) -> Shelf:
        return Shelf(self.path / stream_id / str(connection))

    def shelves(self) -> list[Shelf]:
        return [Shelf(path) for path in sorted(self.path.glob("*/*")) if path.is_dir()]

    def size_bytes(self) -> int:
        return sum(segment.size_bytes for shelf in self.shelves() for segment in shelf.segments())

    @classmethod
    def new(cls, root: Path, new_id: NewId) -> Self:
        """One of our own. Another process may take it for an orphan before it is locked: then it is another one."""
        while True:
            with suppress(BlockingIOError, FileNotFoundError):
                return cls(root, new_id())

    def orphans(self) -> Iterator[Self]:
        """The spools of dead processes, now held by us. Their connections are over."""
        for path in sorted(self._root.iterdir()):
            if path != self.path and path.is_dir():
                with suppress(BlockingIOError, FileNotFoundError):
                    yield type(self)(self._root, path.name)

    def close_all(self) -> None:
        for shelf in self.shelves():
            shelf.close()

    def release(self, *, remove_empty: bool = True) -> None:
        """Let go; an empty one disappears."""
        if remove_empty and not self.shelves():
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
