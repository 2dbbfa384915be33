"""The room log of a single process, under the same contract: for tests of what stands on it, and to read the rules."""

import secrets
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from infra.clock import Clock, milliseconds
from realtime.errors import ChatBanned, ChatSlowMode, ChatTooFast, RoomEnded
from realtime.room.log import (
    DUPLICATE_SECONDS,
    FRESH_ENTRIES,
    KEEP_ENTRIES,
    MAX_UNARCHIVED,
    RATE_SECONDS,
    ArchiveBehind,
    Draft,
    Line,
    Lost,
    Position,
    Recovered,
)

Publish = Callable[[str, bytes], None]


@dataclass
class _Room:
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    newest: int = 0
    archived: int = 0
    ended: bool = False
    slow_seconds: int = 0
    lines: deque[Line] = field(default_factory=deque)
    sent: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)  # id -> offset, forgotten at
    bans: dict[str, int | None] = field(default_factory=dict)  # until when; None is for good
    spoke: dict[str, int] = field(default_factory=dict)

    def trim(self) -> None:
        while self.lines and self.lines[0].offset <= min(self.newest - KEEP_ENTRIES, self.archived):
            self.lines.popleft()


class MemoryRoomLog:
    """See `RoomLog`. `publish(room, payload)` hears what the other one says on the room's channel."""

    def __init__(self, clock: Clock, publish: Publish, *, max_unarchived: int = MAX_UNARCHIVED) -> None:
        self._clock = clock
        self._publish = publish
        self._max_unarchived = max_unarchived
        self._rooms: dict[str, _Room] = defaultdict(_Room)
        self._windows: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)  # of users, over all rooms

    async def append(self, room: str, draft: Draft) -> Position:
        state, now = self._rooms[room], milliseconds(self._clock())
        _pace(self._windows[draft.user_id], (room, draft.id), draft.rate_count, now)
        known = state.sent.get((draft.user_id, draft.id))
        if known and known[1] > now:
            return Position(state.epoch, known[0])
        if draft.ended or state.ended:
            raise RoomEnded
        _may_speak(state, draft, now)
        if state.newest - state.archived >= self._max_unarchived:
            raise ArchiveBehind
        state.newest += 1
        line = Line(state.newest, b'{"offset":%d,' % state.newest + draft.body[1:])
        state.lines.append(line)
        state.trim()
        if state.slow_seconds:
            state.spoke[draft.user_id] = now
        state.sent[draft.user_id, draft.id] = (line.offset, now + DUPLICATE_SECONDS * 1000)
        self._publish(room, b"m %s %d %s" % (state.epoch.encode(), *line))
        return Position(state.epoch, line.offset)

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        state = self._rooms[room]
        here = Position(state.epoch, state.newest)
        if position and position.epoch == state.epoch and 0 <= state.newest - position.offset <= KEEP_ENTRIES:
            missed = [line for line in state.lines if line.offset > position.offset]
            if len(missed) == state.newest - position.offset:
                return Recovered(here, missed, state.slow_seconds)
        fresh = min(fresh, KEEP_ENTRIES)
        return Lost(here, list(state.lines)[-fresh:] if fresh else [], state.slow_seconds)

    async def tail(self, room: str, count: int) -> list[Line]:
        return (await self.since(room, None, fresh=count)).lines

    async def ban(self, room: str, user_id: str, until: datetime | None) -> None:
        self._rooms[room].bans[user_id] = milliseconds(until) if until else None

    async def lift(self, room: str, user_id: str) -> None:
        self._rooms[room].bans.pop(user_id, None)

    async def set_slow(self, room: str, seconds: int) -> None:
        self._rooms[room].slow_seconds = seconds
        self._publish(room, b"c %d" % seconds)

    def end(self, room: str) -> None:
        """The stream is over."""
        self._rooms[room].ended = True

    def archive(self, room: str) -> None:
        """The archive has everything."""
        self._rooms[room].archived = self._rooms[room].newest
        self._rooms[room].trim()

    def lose(self, room: str) -> None:
        """Forget everything, as a shard that came back empty."""
        self._rooms.pop(room, None)


def _pace(window: dict[tuple[str, str], int], said: tuple[str, str], count: int, now: int) -> None:
    for old in [name for name, at in window.items() if at <= now - DUPLICATE_SECONDS * 1000]:
        del window[old]
    if said in window:
        return
    times = sorted(at for at in window.values() if at > now - RATE_SECONDS * 1000)
    if len(times) >= count:
        raise ChatTooFast(retry_after_ms=max(1, times[-count] + RATE_SECONDS * 1000 - now))
    window[said] = now


def _may_speak(state: _Room, draft: Draft, now: int) -> None:
    if draft.user_id in state.bans:
        until = state.bans[draft.user_id]
        if until is None or until > now:
            raise ChatBanned(retry_after_ms=until - now if until else None)
    last = state.spoke.get(draft.user_id)
    if state.slow_seconds and last is not None and not draft.exempt:
        wait = last + state.slow_seconds * 1000 - now
        if wait > 0:
            raise ChatSlowMode(retry_after_ms=wait)
