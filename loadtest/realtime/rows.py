"""Every figure of the real-time core, and how they are printed."""

import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from infra.errors import FootlightError
from loadtest.realtime.crowd import NoCompiler, compile_generator
from loadtest.realtime.crowds import full_process, huge_room, idle
from loadtest.realtime.faults import killed_node, rolling_restart
from loadtest.realtime.measure import Row, rows_table
from loadtest.realtime.moderated import moderator_command
from loadtest.realtime.nodes import bench_platform
from loadtest.realtime.one_process import one_process
from loadtest.realtime.scale import FULL, QUICK, Setting, raise_descriptors
from loadtest.realtime.two_nodes import control_message, quiet_room, stalled_readers, two_nodes

Measure = Callable[[Setting], Awaitable[list[Row]]]

MEASURES: dict[str, Measure] = {
    "process": one_process,
    "nodes": two_nodes,
    "quiet": quiet_room,
    "full": full_process,
    "huge": huge_room,
    "killed": killed_node,
    "rolling": rolling_restart,
    "stalled": stalled_readers,
    "control": control_message,
    "moderation": moderator_command,
    "idle": idle,
}
METHOD = (
    "Real nodes (`footlight serve --role realtime`) on the embedded servers, limits on but for the slow mode that a "
    "busy room sets itself; clients from a generator in C (`loadtest/realtime/generator`) on the same cores, each "
    "with an address and a device of its own, the talkers with accounts. It checks for every socket that offsets grow "
    "by one, and reads its sockets a millisecond after it was woken, so that reading costs little; delays include "
    "that. A message is *wrong* when a reader never got it, or got it twice or out of order. CPU is process time, "
    "memory is proportional (PSS)."
)


async def measure(which: Sequence[str], *, quick: bool) -> str:
    """The table; a figure that cannot be had is a line that says why."""
    raise_descriptors()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="footlight-bench-") as folder:
        try:
            program = await compile_generator(Path(folder))
        except NoCompiler as reason:
            return f"{reason}\n"
        async with bench_platform() as bench:
            setting = Setting(bench, program, QUICK if quick else FULL)
            for name in which or MEASURES:
                rows += await _one(name, setting)
    return rows_table("Real-time core" + (" (a small try)" if quick else ""), METHOD, rows)


async def _one(name: str, setting: Setting) -> list[Row]:
    began = time.monotonic()
    try:
        rows = await MEASURES[name](setting)
    except (RuntimeError, OSError, TimeoutError, FootlightError) as failure:
        rows = [Row(name, "", f"not measured: {failure!r}", False, "")]
    for row in rows:
        print(f"[{name}, {time.monotonic() - began:.0f} s] {row.name}: {row.figure}", file=sys.stderr, flush=True)
    return rows
