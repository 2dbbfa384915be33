"""The room log of a single process, under the same contract: for tests of what stands on it, and to read the rules."""

import secrets
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.clock import Clock, milliseconds
from realtime.errors import ChatTooFast, RoomEnded
from realtime.room.log import (
    DUPLICATE_SECONDS,
    FRESH_ENTRIES,
    KEEP_ENTRIES,
    RATE_COUNT,
    RATE_SECONDS,
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
    ended: bool = False
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=KEEP_ENTRIES))
    sent: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)  # id -> offset, forgotten at
    rates: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))


class MemoryRoomLog:
    """See `RoomLog`. `publish(room, payload)` hears what the other one says on the room's channel."""

    def __init__(self, clock: Clock, publish: Publish) -> None:
        self._clock = clock
        self._publish = publish
        self._rooms: dict[str, _Room] = defaultdict(_Room)

    async def append(self, room: str, draft: Draft) -> Position:
        state, now = self._rooms[room], milliseconds(self._clock())
        known = state.sent.get((draft.user_id, draft.id))
        if known and known[1] > now:
            return Position(state.epoch, known[0])
        if state.ended:
            raise RoomEnded
        _admit(state.rates[draft.user_id], now)
        state.newest += 1
        line = Line(state.newest, b'{"offset":%d,' % state.newest + draft.body[1:])
        state.lines.append(line)
        state.sent[draft.user_id, draft.id] = (line.offset, now + DUPLICATE_SECONDS * 1000)
        self._publish(room, b"m %s %d %s" % (state.epoch.encode(), *line))
        return Position(state.epoch, line.offset)

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        state = self._rooms[room]
        here = Position(state.epoch, state.newest)
        if position and position.epoch == state.epoch and position.offset <= state.newest:
            missed = [line for line in state.lines if line.offset > position.offset]
            if len(missed) == state.newest - position.offset:
                return Recovered(here, missed)
        return Lost(here, list(state.lines)[-fresh:] if fresh else [])

    async def tail(self, room: str, count: int) -> list[Line]:
        return (await self.since(room, None, fresh=count)).lines

    def end(self, room: str) -> None:
        """The stream is over."""
        self._rooms[room].ended = True

    def lose(self, room: str) -> None:
        """Forget everything, as a shard that came back empty."""
        self._rooms.pop(room, None)


def _admit(sent: deque[int], now: int) -> None:
    while sent and sent[0] <= now - RATE_SECONDS * 1000:
        sent.popleft()
    if len(sent) >= RATE_COUNT:
        raise ChatTooFast(retry_after_ms=max(1, sent[0] + RATE_SECONDS * 1000 - now))
    sent.append(now)
