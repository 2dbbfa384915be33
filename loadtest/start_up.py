"""How long `make up` takes to be ready, first and later, and what it holds in memory."""

import tempfile
from pathlib import Path

from loadtest.stack import memory_mb, platform, tree
from loadtest.tables import table

METHOD = (
    "`footlight up --no-demo`, from the command to `GET /readyz` = 200 (every store answers). Cold: an empty data "
    "folder; warm: the same folder again. Packages and the web client are installed already. Memory is proportional "
    "(PSS), the whole process tree, idle."
)


async def measure() -> str:
    """Start twice on one folder; returns the table."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        for name in ("cold", "warm"):
            async with platform(Path(folder) / "data") as stack:
                pids = tree(stack.pid)
                rows.append((name, stack.ready_seconds, len(pids), memory_mb(pids)))
    return table("Start and memory", METHOD, ("start", "ready s", "processes", "memory MB"), rows)
