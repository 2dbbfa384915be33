"""What a server costs while something happens, and a line of the table of figures."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtest.stack import memory_mb
from loadtest.tables import table

COLUMNS = ("figure", "goal", "measured", "met", "spread of the runs", "how")


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `runs` are the single values behind `figure`, None in `met` where nothing is judged."""

    name: str
    goal: str
    figure: str
    met: bool | None
    method: str
    runs: Sequence[float] = field(default=())

    def cells(self) -> tuple[str, ...]:
        word = "" if self.met is None else "yes" if self.met else "NO"
        return self.name, self.goal, self.figure, word, spread(self.runs), self.method


def spread(runs: Sequence[float]) -> str:
    """The single runs, and how far they are from their middle."""
    if not runs:
        return ""
    shown = ", ".join(f"{value:.3g}" for value in runs)
    middle = statistics.median(runs)
    if len(runs) < 2 or middle == 0:
        return shown
    return f"{shown} (±{max(abs(value - middle) for value in runs) / middle * 100:.0f} %)"


def rows_table(title: str, method: str, rows: Sequence[Row]) -> str:
    return table(title, method, COLUMNS, [row.cells() for row in rows])


class Meter:
    """Processor time and memory of some processes since it was made (or since `again`)."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.pids = list(pids)
        self.again()

    def again(self) -> None:
        self._cpu, self._began, self._memory = self._cpu_now(), time.monotonic(), memory_mb(self.pids)

    @property
    def cpu_seconds(self) -> float:
        return self._cpu_now() - self._cpu

    @property
    def cores(self) -> float:
        return self.cpu_seconds / (time.monotonic() - self._began)

    @property
    def memory_mb(self) -> float:
        """What they take now."""
        return memory_mb(self.pids)

    @property
    def grown_mb(self) -> float:
        return memory_mb(self.pids) - self._memory

    def _cpu_now(self) -> float:
        return sum(process_seconds(pid) for pid in self.pids)


def process_seconds(pid: int) -> float:
    """User and system time of all threads, to the nanosecond (`clock_getcpuclockid` in glibc makes the same number)."""
    return time.clock_gettime(~pid << 3 | 2)
