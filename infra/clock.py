"""Time and identity are passed in, so that every decision can be replayed in a test."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

Clock = Callable[[], datetime]
NewId = Callable[[], str]


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def milliseconds(moment: datetime) -> int:
    """Unix milliseconds: how sockets and playlists write a moment."""
    return int(moment.timestamp() * 1000)


def new_id() -> str:
    """A UUID version 7 (RFC 9562, section 5.7): sorts by birth, so indexes grow at one end."""
    born = time.time_ns() // 1_000_000
    number = born << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=number))
