"""The data folder: ours alone, and used by one `footlight up` at a time."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import Conflict

ENVIRONMENT_FILE = "environment.json"  # so that `footlight grant` and its like reach what runs here


class FolderInUse(Conflict):
    code = "local.folder_in_use"
    message = "Footlight runs already on this data folder."


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Make the folder (for its owner only), hold its lock, and yield its absolute path.

    The kernel gives the lock back however we end. Raises `FolderInUse` with the process that holds it.
    """
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with open(os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            pid = lock.read().strip() or "unknown"
            raise FolderInUse(
                f"Footlight runs already on {folder} (process {pid}). Stop it with `kill {pid}` (or Ctrl-C where it "
                "runs), or start another one with its own folder and port: "
                "footlight up --data OTHER_FOLDER --port 9000",
                pid=pid,
            ) from held
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield folder


def environment_of(folder: Path) -> dict[str, str]:
    """The settings of the platform that runs (or last ran) on this folder; empty when none ever did."""
    try:
        kept: dict[str, str] = json.loads((folder / ENVIRONMENT_FILE).read_text())
    except (FileNotFoundError, PermissionError, ValueError):
        return {}
    return kept
