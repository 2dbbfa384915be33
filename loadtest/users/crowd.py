"""Reads every socket of the process in one greenlet.

A greenlet that reads its own socket costs 10 µs for each frame, because gevent arms a watcher and switches there and
back; reading the same frame here costs 3 µs (measured on socket pairs, 1,000 and 9,000 of them, 440-byte frames).
So the users' greenlets only open sockets and wait, and their sockets are in one epoll that this greenlet drains. An
epoll descriptor can itself be waited for, which is how the reader sleeps in gevent's loop like everybody else.
"""

import os
import time

import gevent
from gevent.monkey import get_original
from gevent.socket import wait_read

from loadtest.users.framing import BrokenFrame
from loadtest.users.line import PATIENCE_SECONDS, Line, LineLost

READ_BYTES = 32 * 1024
AT_ONCE = 256  # sockets read before other greenlets have their turn
LOOK_SECONDS = 2.0


class Crowd:
    """Start `run` and `look` in greenlets; killing them ends it. `close` loses everybody."""

    def __init__(self) -> None:
        self._epoll = get_original("select", "epoll")()
        self._readable = get_original("select", "EPOLLIN")
        self._lines: dict[int, Line] = {}

    def add(self, line: Line) -> None:
        descriptor = line.socket.fileno()
        self._lines[descriptor] = line
        self._epoll.register(descriptor, self._readable)

    def remove(self, line: Line) -> None:
        """Take a line's socket out and close it, without a word to the server."""
        if line.socket is not None and self._lines.pop(line.socket.fileno(), None) is not None:
            self._epoll.unregister(line.socket.fileno())
        line.lose("dropped")

    def run(self) -> None:
        while True:
            ready = self._epoll.poll(0, AT_ONCE)
            if ready:
                for descriptor, _ in ready:
                    self._read(descriptor)
                gevent.sleep(0)
            else:
                wait_read(self._epoll.fileno())

    def look(self) -> None:
        """Lose who waits too long for an answer that no greenlet of its own waits for."""
        while True:
            gevent.sleep(LOOK_SECONDS)
            late = time.monotonic() - PATIENCE_SECONDS
            for line in [line for line in self._lines.values() if 0 < line.waiting_since < late]:
                self.remove(line)

    def close(self) -> None:
        for line in list(self._lines.values()):
            self.remove(line)
        self._epoll.close()

    def _read(self, descriptor: int) -> None:
        line = self._lines.get(descriptor)
        if line is None:
            return  # dropped between the poll and now
        try:
            chunk = os.read(descriptor, READ_BYTES)
            line.feed(chunk, time.monotonic())
        except BlockingIOError:
            return
        except (OSError, LineLost, BrokenFrame) as reason:
            if self._lines.pop(descriptor, None) is not None:
                self._epoll.unregister(descriptor)
            line.lose(str(reason) or type(reason).__name__)
