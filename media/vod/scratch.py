"""Room on the local disk for files in work: a folder of this process alone, with a budget.

Every process has a folder of its own below the common one, and holds a lock on it; the next process that starts removes
the folders whose owners are dead. So a transcoder that was killed leaves nothing for longer than until then.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.clock import new_id
from infra.logs import get_logger
from media.vod.errors import ScratchFull, SourceTooLarge

LOCK_FILE = "lock"
# Left free on the disk, for whatever else runs there.
SPARE_BYTES = 64 << 20
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

log = get_logger(__name__)


class Scratch:
    """`root` is ours alone. Sources are booked before they are fetched; what encoders write is measured."""

    def __init__(self, root: Path, budget_bytes: int) -> None:
        self.root = root
        self._budget_bytes = budget_bytes
        self._booked_bytes = 0

    def book(self, size_bytes: int) -> None:
        """Raises `SourceTooLarge` for what can never fit in, `ScratchFull` when it does not beside what is there."""
        if size_bytes > largest_source(self._budget_bytes):
            raise SourceTooLarge
        if self._booked_bytes + size_bytes > self._budget_bytes or size_bytes > self._disk_bytes():
            raise ScratchFull
        self._booked_bytes += size_bytes

    def free(self, size_bytes: int) -> None:
        self._booked_bytes -= size_bytes

    @contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        """A new folder, removed with everything in it when the block ends."""
        place = self.root / name
        place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def check(self) -> None:
        """Raises `ScratchFull` when what was written is over the budget or the disk is nearly full. Blocks."""
        if self._disk_bytes() <= 0 or self._written_bytes() > self._budget_bytes:
            raise ScratchFull

    def _disk_bytes(self) -> int:
        return shutil.disk_usage(self.root).free - SPARE_BYTES

    def _written_bytes(self) -> int:
        total = 0
        for folder, _, names in os.walk(self.root):
            for name in names:
                try:
                    total += (Path(folder) / name).stat().st_size
                except FileNotFoundError:  # uploaded meanwhile
                    continue
        return total


def largest_source(budget_bytes: int) -> int:
    """How large a source may be, so that there is room for what is made of it: segments go as soon as they are stored,
    and are a small part of it by then."""
    return budget_bytes // 10 * 9


@contextmanager
def full_disk_is_our_fault() -> Iterator[None]:
    """Inside the block an `OSError` that says there is no room is `ScratchFull`."""
    try:
        yield
    except OSError as failure:
        if failure.errno in NO_ROOM:
            raise ScratchFull from failure
        raise


@contextmanager
def open_scratch(folder: str, budget_bytes: int) -> Iterator[Scratch]:
    """Make our folder and remove those of the dead; empty `folder` means one in the system's temporary folder."""
    common = Path(folder) if folder else Path(tempfile.gettempdir()) / f"footlight-transcode-{os.getuid()}"
    common.mkdir(parents=True, exist_ok=True, mode=0o700)
    if common.stat().st_uid != os.getuid():  # in a temporary folder anybody may have made it
        raise PermissionError(f"{common} belongs to somebody else")
    with ExitStack() as stack:
        with _locked(common / LOCK_FILE, wait=True):  # a folder that is being made has no lock of its own yet
            _remove_the_dead(common)
            root = common / new_id()
            root.mkdir(mode=0o700)
            stack.callback(shutil.rmtree, root, ignore_errors=True)
            stack.enter_context(_locked(root / LOCK_FILE))
        yield Scratch(root, budget_bytes)


@contextmanager
def _locked(file: Path, *, wait: bool = False) -> Iterator[None]:
    """Raises `OSError` when another process holds the lock, unless we are to wait for it."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _remove_the_dead(common: Path) -> None:
    for root in common.iterdir():
        try:
            with _locked(root / LOCK_FILE):
                shutil.rmtree(root, ignore_errors=True)
                log.info("scratch.removed", folder=root.name)
        except OSError:  # alive, or just being made or removed
            continue
