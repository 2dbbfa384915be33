"""What a person sees of `footlight up`: a live table at a terminal, one line for each change elsewhere."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TextIO

from infra.local.memory import memory_megabytes
from infra.local.parts import Part

if TYPE_CHECKING:
    from rich.table import Table

REFRESH_SECONDS = 2.0
COLOURS = {"ready": "green", "starting": "yellow", "stopping": "yellow", "died": "red", "failed": "red"}


@dataclass(frozen=True, slots=True)
class Row:
    """One part as it is now."""

    name: str
    address: str
    state: str = "waiting"
    restarts: int = 0
    pid: int | None = None
    megabytes: float = 0.0


class Board(Protocol):
    """Told about every change of a part, and what else a person should know."""

    def changed(self, part: Part, state: str, note: str = "", *, pid: int | None = None, restarts: int = 0) -> None: ...
    def say(self, text: str) -> None: ...


class Lines:
    """For a pipe or a file: nothing moves, every change is one line."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def changed(self, part: Part, state: str, note: str = "", *, pid: int | None = None, restarts: int = 0) -> None:
        again = f" (restart {restarts})" if restarts and state in {"starting", "ready"} else ""
        where = f" at {part.address}" if state == "ready" and part.address else ""
        self.say(f"{part.name}: {state}{where}{again}" + (f". {note}" if note else ""))

    def say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a closed pipe or terminal must not keep us from stopping the parts
            print(text, file=self._output, flush=True)


class Live:
    """For a terminal: the table stays at the bottom, what happened scrolls above it."""

    def __init__(self, parts: list[Part]) -> None:
        self._rows = {part.name: Row(part.name, part.address) for part in parts}
        self._closed = threading.Event()

    @contextmanager
    def shown(self) -> Iterator["Live"]:
        """Show the table for as long as the block lasts; the last picture stays."""
        from rich.console import Console  # noqa: PLC0415  # the production install has no rich
        from rich.live import Live as Screen  # noqa: PLC0415

        self._console = Console()
        measuring = threading.Thread(target=self._measure, name="memory", daemon=True)
        screen = Screen(get_renderable=self.table, console=self._console, refresh_per_second=2)
        screen.start()
        measuring.start()
        try:
            yield self
        finally:
            self._closed.set()
            measuring.join()
            with contextlib.suppress(OSError):  # the terminal is gone, and the last picture with it
                screen.stop()

    def changed(self, part: Part, state: str, note: str = "", *, pid: int | None = None, restarts: int = 0) -> None:
        self._rows[part.name] = Row(part.name, part.address, state, restarts, pid)
        if note:
            self.say(note)

    def say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # as in `Lines`
            self._console.print(text, highlight=False, markup=False)

    def table(self) -> "Table":
        """The rows as they are now."""
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=None, pad_edge=False)
        for title in ("part", "state", "address"):
            table.add_column(title)
        for title in ("restarts", "memory"):
            table.add_column(title, justify="right")
        rows = list(self._rows.values())
        for row in rows:
            state = Text(row.state, style=COLOURS.get(row.state, "dim"))
            memory = f"{row.megabytes:.0f} MB" if row.megabytes else ""
            table.add_row(row.name, state, row.address, str(row.restarts or ""), memory)
        table.add_row("", "", "", "", Text(f"{sum(row.megabytes for row in rows):.0f} MB", style="bold"))
        return table

    def _measure(self) -> None:
        while not self._closed.wait(REFRESH_SECONDS):
            pids = [row.pid for row in self._rows.values() if row.pid]
            measured = memory_megabytes(pids)
            for name, row in list(self._rows.items()):
                if (
                    row.pid is not None and row.pid in measured and self._rows[name] is row
                ):  # it may have changed while we measured
                    self._rows[name] = replace(row, megabytes=measured[row.pid])


@contextmanager
def open_board(parts: list[Part], output: TextIO = sys.stdout) -> Iterator[Board]:
    """The board that suits where we write to."""
    if output.isatty():
        with Live(parts).shown() as live:
            yield live
    else:
        yield Lines(output)
