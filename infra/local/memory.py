"""How much memory each part really takes: proportional set size, so that shared pages count once."""

import contextlib
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

PROC = Path("/proc")


def memory_megabytes(pids: Collection[int]) -> dict[int, float]:
    """For each process: its memory with that of everything it started. One that is gone has 0."""
    children = _children()
    return {pid: sum(map(_pss, _tree(pid, children))) / 1024 for pid in pids}


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for process in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            found[int(fields[1])].append(int(process.name))
    return found


def _tree(pid: int, children: dict[int, list[int]]) -> list[int]:
    return [pid, *(descendant for child in children.get(pid, ()) for descendant in _tree(child, children))]


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
