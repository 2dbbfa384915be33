"""The board tells every change: as lines for a file, as a table for a person."""

import errno
import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from infra.local.board import Lines, Live, open_board
from infra.local.memory import memory_megabytes
from infra.local.parts import Part, alive


class Closable(io.StringIO):
    """A terminal whose window can be closed, or a pipe whose reader can go."""

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self.is_closed, self._is_terminal = False, is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        if self.is_closed:
            raise OSError(errno.EIO, "Input/output error")
        return super().write(text)


PART = Part("mongo", ("true",), Path("nowhere"), "127.0.0.1:1", alive)


def test_without_a_terminal_every_change_is_one_line() -> None:
    output = io.StringIO()
    with open_board([PART], output) as board:
        assert isinstance(board, Lines)
        board.changed(PART, "starting")
        board.changed(PART, "ready", pid=1)
        board.changed(PART, "died", "It fell over.")
        board.changed(PART, "ready", pid=2, restarts=1)
    assert output.getvalue().splitlines() == [
        "mongo: starting",
        "mongo: ready at 127.0.0.1:1",
        "mongo: died. It fell over.",
        "mongo: ready at 127.0.0.1:1 (restart 1)",
    ]


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_board_nobody_can_read_any_more_keeps_quiet(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool) -> None:
    output = Closable(is_terminal)
    monkeypatch.setattr("sys.stdout", output)
    with open_board([PART], output) as board:
        assert isinstance(board, Live if is_terminal else Lines)
        board.say("Hello")
        output.is_closed = True
        board.changed(PART, "stopping", "It is told to end.")
        board.say("Goodbye")
    assert "Hello" in output.getvalue()
    assert "Goodbye" not in output.getvalue()


def test_the_table_shows_each_part_as_it_is_now() -> None:
    board = Live([PART])
    board.changed(PART, "ready", pid=os.getpid(), restarts=3)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(board.table())
    row = next(line for line in console.export_text().splitlines() if line.startswith("mongo"))
    assert row.split() == ["mongo", "ready", "127.0.0.1:1", "3"]


def test_memory_counts_a_process_and_forgets_one_that_is_gone() -> None:
    measured = memory_megabytes([os.getpid(), 2**22 + 1])
    assert measured[os.getpid()] > 5
    assert measured[2**22 + 1] == 0
