"""The room log of a single process, under the same contract: for tests of what stands on it, and to read the rules."""

import secrets
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from infra.clock import Clock, milliseconds
from realtime.errors import ChatSlowMode, ChatTooFast, RoomEnded
from realtime.moderation.admission import admit
from realtime.moderation.errors import ChatNotUnique
from realtime.room.log import (
    DUPLICATE_SECONDS,
    FRESH_ENTRIES,
    KEEP_ENTRIES,
    MAX_UNARCHIVED,
    RATE_SECONDS,
    STANDING,
    Applied,
    ArchiveBehind,
    Behind,
    Draft,
    FollowUnknown,
    Known,
    Line,
    Lost,
    Position,
    Rank,
    Recovered,
)
from realtime.room.redaction import Removals, covered_by, covers, is_control, tombstone
from realtime.room.rules import Change, Rules, patched

UNIQUE_SECONDS = 600
KEEP_RESTORED = 100
PIN = b'"kind":"pin"'
Publish = Callable[[str, bytes], None]


@dataclass
class _Room:
    id: str = ""
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    newest: int = 0
    archived: int = 0
    ended: bool = False
    rules: Rules = field(default_factory=Rules)
    lines: deque[Line] = field(default_factory=deque)
    originals: dict[int, bytes] = field(default_factory=dict)  # offset of a restored line -> its message
    removals: list[tuple[str, Line]] = field(default_factory=list)
    sent: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)  # id -> offset, forgotten at
    spoke: dict[str, int] = field(default_factory=dict)
    prints: dict[bytes, int] = field(default_factory=dict)

    def add(self, mark: bytes, body: bytes) -> Line:
        self.newest += 1
        line = Line(self.newest, b'{"offset":%d,' % self.newest + body[1:], mark)
        self.lines.append(line)
        while self.lines and self.lines[0].offset <= min(self.newest - KEEP_ENTRIES, self.archived):
            self.lines.popleft()
        return line

    def remember(self, draft: Draft, now: int) -> None:
        """What was said before a mode was turned on does not count for it."""
        settings = self.rules.settings
        if settings.slow_seconds or settings.auto_slow_seconds:
            self.spoke[draft.user_id] = now
        if settings.unique_chat:
            self.prints[draft.fingerprint] = now

    def said_under(self, mark: bytes) -> Line | None:
        """The newest; an announcement or a gift has a plus before its mark, as a pin of it has."""
        found = [line for line in self.lines if line.mark == mark]
        found = found or [line for line in self.lines if line.mark == b"+" + mark and PIN not in line.entry]
        return found[-1] if found else None

    def quotes_removed(self, mark: bytes) -> bool:
        quoted = self.said_under(mark[1:]) if mark[:1] == b"+" else None
        return quoted is not None and self.known_removals().cover(quoted)

    def seen(self) -> list[Line]:
        """As anybody may read it."""
        removals = self.known_removals()
        return [tombstone(line, self.id) if removals.cover(line) else line for line in self.lines]

    def known_removals(self, *, without: str = "") -> Removals:
        known = Removals()
        for name, line in self.removals:
            if name != without:
                known.add(line)
        return known

    def taken_by(self, change_id: str) -> list[tuple[bytes, bytes]]:
        """Mark and message of what this change removed and nothing else did."""
        removal = next((line for name, line in self.removals if name == change_id), None)
        if removal is None:
            return []
        what, others = covered_by(removal.mark) or b"", self.known_removals(without=change_id)
        taken = [
            (line.mark, self.originals.get(line.offset, line.entry))
            for line in self.lines
            if line.offset < removal.offset
            and line.mark[:1] != b"+"
            and covers(what, line.mark)
            and not others.cover(line)
        ]
        return taken[-KEEP_RESTORED:]


class MemoryRoomLog:
    """See `RoomLog`. `publish(room, payload)` hears what the other one says on the room's channel."""

    def __init__(self, clock: Clock, publish: Publish, *, max_unarchived: int = MAX_UNARCHIVED) -> None:
        self._clock = clock
        self._publish = publish
        self._max_unarchived = max_unarchived
        self._rooms: dict[str, _Room] = defaultdict(_Room)
        self._windows: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)  # of users, over all rooms

    async def append(self, room: str, draft: Draft) -> Position:
        await self.pace(room, draft)
        state, now = self._room(room), milliseconds(self._clock())
        known = state.sent.get((draft.user_id, draft.id))
        if known and known[1] > now:
            return Position(state.epoch, known[0])
        if draft.ended or state.ended:
            raise RoomEnded
        _may_speak(state, draft, now)
        if state.newest - state.archived >= self._max_unarchived:
            raise ArchiveBehind
        line = state.add(draft.mark, draft.body)
        state.remember(draft, now)
        state.sent[draft.user_id, draft.id] = (line.offset, now + DUPLICATE_SECONDS * 1000)
        self._say(room, state, line)
        return Position(state.epoch, line.offset)

    async def pace(self, room: str, draft: Draft) -> None:
        now = milliseconds(self._clock())
        _pace(self._windows[draft.user_id], (room, draft.id), draft.rate_count, now)

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        state = self._room(room)
        here = Position(state.epoch, state.newest)
        if position and position.epoch == state.epoch and 0 <= state.newest - position.offset <= KEEP_ENTRIES:
            missed = [line for line in state.seen() if line.offset > position.offset]
            if len(missed) == state.newest - position.offset:
                return Recovered(here, missed)
        fresh = min(fresh, KEEP_ENTRIES)
        return Lost(here, state.seen()[-fresh:] if fresh else [])

    async def tail(self, room: str, count: int) -> list[Line]:
        return (await self.since(room, None, fresh=count)).lines

    async def find(self, room: str, user_id: str, message_id: str, *, removed: bool = True) -> bytes | None:
        state = self._room(room)
        line = state.said_under(f"{user_id} {message_id}".encode())
        if line is None or (not removed and state.known_removals().cover(line)):
            return None
        return state.originals.get(line.offset, line.entry)

    async def control(self, room: str, change: Change) -> Applied | Behind:
        state = self._room(room)
        if state.rules.revision >= change.revision:
            return Applied(state.rules.revision)
        if state.rules.revision < change.revision - 1:
            return Behind(state.rules.revision)
        state.rules = patched(state.rules, change)
        self._publish(room, b"c %d %b" % (change.revision, msgspec.json.encode(change.patch)))
        if change.stream_id not in (None, room):
            return Applied(change.revision)
        if change.entry is not None:
            mark, body = change.mark.encode(), bytes(change.entry)
            if state.quotes_removed(mark):
                mark, body = b"!", b'{"kind":"removed","stream_id":"%b"}' % room.encode()
            line = state.add(mark, body)
            if covered_by(line.mark) is not None:
                state.removals.append((change.id, line))
            self._say(room, state, line)
        for mark, message in state.taken_by(change.restores or ""):
            at = milliseconds(self._clock())
            head = msgspec.json.encode({"kind": "restored", "stream_id": room, "id": change.id, "at": at})
            restored = state.add(mark, head[:-1] + b',"message":' + message + b"}")
            state.originals[restored.offset] = message
            self._say(room, state, restored)
        return Applied(change.revision)

    async def revision(self, room: str) -> int | None:
        return self._room(room).rules.revision or None

    async def put_rules(self, room: str, rules: Rules) -> None:
        if rules.revision > self._room(room).rules.revision:
            self._rooms[room].rules = rules
            self._publish(room, b"c %d " % rules.revision)

    async def known(self, room: str) -> Known:
        state = self._room(room)
        kinds = [
            [line for line in state.lines if kind in line.entry[:60] and is_control(line.mark)] for kind in STANDING
        ]
        removals = state.known_removals()
        return Known(state.rules, [lines[-1] for lines in kinds if lines and not removals.cover(lines[-1])])

    async def set_auto_slow(self, room: str, seconds: int, entry: bytes) -> bool:
        state = self._room(room)
        if state.rules.settings.auto_slow_seconds == seconds:
            return False
        settings = msgspec.structs.replace(state.rules.settings, auto_slow_seconds=seconds)
        state.rules = msgspec.structs.replace(state.rules, settings=settings)
        self._say(room, state, state.add(b"!", entry))
        return True

    def _room(self, room: str) -> _Room:
        self._rooms[room].id = room
        return self._rooms[room]

    def _say(self, room: str, state: _Room, line: Line) -> None:
        self._publish(room, b"m %b %d %b\n%b" % (state.epoch.encode(), line.offset, line.mark, line.entry))

    def end(self, room: str) -> None:
        """The stream is over."""
        self._rooms[room].ended = True

    def archive(self, room: str) -> None:
        """The archive has everything."""
        state = self._rooms[room]
        state.archived = state.newest
        while state.lines and state.lines[0].offset <= state.newest - KEEP_ENTRIES:
            state.lines.popleft()

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
    settings = state.rules.settings
    if draft.rank is Rank.EVERYTHING and settings.followers_seconds is not None and not draft.follow_known:
        open_to_all = msgspec.structs.replace(
            settings, followers_seconds=None, subscribers_only=False, emote_only=False
        )
        admit(msgspec.structs.replace(state.rules, settings=open_to_all), draft, now)
        raise FollowUnknown
    admit(state.rules, draft, now)
    if draft.rank is not Rank.EVERYTHING:
        return
    said = state.prints.get(draft.fingerprint) if draft.fingerprint else None
    if settings.unique_chat and said is not None and said + UNIQUE_SECONDS * 1000 > now:
        raise ChatNotUnique(retry_after_ms=said + UNIQUE_SECONDS * 1000 - now)
    last, slow = state.spoke.get(draft.user_id), max(settings.slow_seconds, settings.auto_slow_seconds)
    if slow and last is not None and last + slow * 1000 > now:
        raise ChatSlowMode(retry_after_ms=last + slow * 1000 - now)
