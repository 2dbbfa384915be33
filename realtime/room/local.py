"""One room on one node: who is in it, how far its log was passed on, and how a hole is noticed and filled.

A receiver decodes of what the bus carries only the few entries that concern the room itself. `m <epoch> <offset>
<mark>\\n<entry>` is a log entry, `c <revision> <patch>` a change of the rules, `v <viewers> <peak>` the count,
`s <status>` a change of the stream; `p` and `r` are shown to everybody, `d` to the desk, `u` to one user. Invariants:

- `position` only moves forward by one entry at a time, each passed on in order; an entry that jumps is not passed on
  before the log was asked for what is between. So who is in an audience misses nothing.
- While a fetch runs, entries from the bus are only noted (`_heard`); the fetch repeats until it has passed them.
- When the log cannot fill the hole, everybody is told `room:reset` and joins again.
- With moderator-first delay `staff` hears a line at once and `audience` later, as its tombstone if it was removed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import msgspec

from accounts.model import Identity
from infra.clock import Clock, milliseconds
from infra.errors import Unavailable
from infra.logs import get_logger
from realtime.entries import Pin, User
from realtime.events import RoomLagged, RoomRemoved, RoomReset, RoomStatus, RoomViewers
from realtime.moderation.capabilities import may, role_in
from realtime.ports import StreamSnapshot
from realtime.room.delay import HeldBack
from realtime.room.lines import RecentLines
from realtime.room.log import FRESH_ENTRIES, Known, Line, Lost, Position, Recovered
from realtime.room.on_top import OnTop
from realtime.room.reads import Readable
from realtime.room.redaction import is_control
from realtime.room.rules import Patch, Sanction
from realtime.room.scene import Scene
from realtime.wire.fanout import Audience, Member, Merger
from realtime.wire.frames import event_frame, raw_event_frame

FETCH_ATTEMPTS = 8
LONGEST_WAIT_SECONDS = 2.0
CLOCKS_DIFFER_SECONDS = 0.05  # a message that is sent at once must find the timeout over on the shard too

log = get_logger(__name__)


class Listener(Member, Protocol):
    """A member that can be told something by itself."""

    def offer(self, packet: str | bytes, *, droppable: bool = False) -> None: ...


class Around(Protocol):
    """What a room needs of its node. `standing_changed`: somebody is something else here now, or may do something else.
    `to_user`: for the sockets of one user that are in the room."""

    count_sent: Callable[[int], object]
    clock: Clock
    known: Callable[[str], Awaitable[Known]]
    standing_changed: Callable[["Room", str], None]
    to_user: Callable[[str, str, str], None]

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]": ...


class Room:
    """Hears one channel (see `realtime.cluster.Receiver`) and passes on what it hears."""

    def __init__(self, stream: StreamSnapshot, room_log: Readable, around: Around) -> None:
        self.id = stream.id
        self.stream = stream
        self.viewers = self.peak = 0
        self._lagged = event_frame("room:lagged", RoomLagged(stream_id=stream.id))
        self.audience = Audience(around.count_sent, self._lagged)
        self.staff = Audience(around.count_sent, self._lagged)
        self.desk: set[Listener] = set()
        self.joining = 0
        self.said = 0  # messages so far, for who looks after loud rooms
        self.lines = RecentLines(stream.id)
        self.scene = Scene()
        self._on_top = OnTop()
        self._log = room_log
        self._around = around
        self._merger, self._staff_merger = Merger(self.audience), Merger(self.staff)
        self._held_back = HeldBack(self._show)
        self._heard: Position | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._reading_rules: asyncio.Task[None] | None = None
        self._ends: dict[str, asyncio.TimerHandle] = {}  # of sanctions, by user
        self._stale = False  # the subscription stands anew: what was read before may lack what it missed

    @property
    def position(self) -> Position | None:
        """How far the log was passed on; None before `begin`."""
        return self.lines.position

    def shown(self, *, staff: bool) -> Position | None:
        """Beyond this they may not be given anything yet; None when there is no such bound."""
        here = self.lines.position
        if here is None or staff or not (self._held_back.seconds or len(self._held_back)):
            return None
        return Position(here.epoch, here.offset - len(self._held_back))

    def pin_for(self, user: User | None) -> Pin | None:
        """What is pinned, as far as they may know yet."""
        shown = self.shown(staff=user is not None and may(user.role, "see_private"))
        now = milliseconds(self._around.clock())
        return self.scene.pin(now, up_to=shown.offset if shown is not None else None)

    def on_top_for(self, user: User | None) -> list[Line]:
        """The paid messages that are on top, as far as they may know yet."""
        shown = self.shown(staff=user is not None and may(user.role, "see_private"))
        now = milliseconds(self._around.clock())
        return self._on_top.now(now, self.lines.as_shown, up_to=shown.offset if shown is not None else None)

    async def begin(self) -> None:
        """Called once the subscription stands; what was heard meanwhile is fetched if the log's answer lacks it."""
        self._begin_lines(await self._look(None))
        self._begin_scene(await self._around.known(self.id))
        self._fetch_unless_level()

    def close(self) -> None:
        self._merger.forget()
        self._staff_merger.forget()
        self._held_back.forget()
        for ending in self._ends.values():
            ending.cancel()
        for task in (self._fetching, self._reading_rules):
            if task is not None:
                task.cancel()

    # --- who is here

    def user_of(self, identity: Identity) -> User:
        """Somebody as this room sees them."""
        role = role_in(self.stream.creator_id, self.scene.rules.roles, identity.user_id, identity.role)
        return User(
            id=identity.user_id,
            name=identity.display_name,
            role=role,
            subscriber=identity.subscribes_to(self.stream.creator_id),
            color=identity.chat_color,
        )

    def sanction_of(self, user_id: str) -> Sanction | None:
        """What keeps them from taking part now."""
        found = self.scene.rules.sanctions.get(user_id)
        over = found is not None and found.until is not None and found.until <= milliseconds(self._around.clock())
        return None if over else found

    def enter(self, member: Listener, user: User | None, *, desk: bool) -> None:
        """Add a member, or sort one anew whose role changed."""
        staff = user is not None and may(user.role, "see_private")
        here, there = (self.staff, self.audience) if staff else (self.audience, self.staff)
        if member in there:
            member.offer(self._lagged)  # what is delayed, or waits to be merged, went or will go to the other side
        there.discard(member)
        here.add(member)
        self.desk.discard(member)
        if staff and desk:
            self.desk.add(member)
        if user is not None:
            self._await_end(user.id)

    def _await_end(self, user_id: str) -> None:
        """Somebody who is here hears when their timeout is over."""
        if ending := self._ends.pop(user_id, None):
            ending.cancel()
        sanction = self.sanction_of(user_id)
        if sanction is not None and sanction.until is not None:
            left_ms = sanction.until - milliseconds(self._around.clock())
            later = asyncio.get_running_loop().call_later
            self._ends[user_id] = later(left_ms / 1000 + CLOCKS_DIFFER_SECONDS, self._ended, user_id)

    def _ended(self, user_id: str) -> None:
        del self._ends[user_id]
        self._around.standing_changed(self, user_id)

    def leave(self, member: Listener) -> None:
        self.audience.discard(member)
        self.staff.discard(member)
        self.desk.discard(member)

    @property
    def members(self) -> int:
        return len(self.audience) + len(self.staff)

    # --- the bus

    def received(self, payload: bytes) -> None:
        kind, _, rest = payload.partition(b" ")
        if kind == b"m":
            head, _, entry = rest.partition(b"\n")
            epoch, offset, mark = head.split(b" ", 2)
            self._take(epoch.decode(), Line(int(offset), entry, mark))
        elif kind == b"v":
            self.viewers, self.peak = map(int, rest.split())
            count = RoomViewers(stream_id=self.id, viewers=self.viewers, peak=self.peak)
            self._show_all(event_frame("room:viewers", count))
        elif kind == b"s":
            self._status(rest)
        elif kind == b"c":
            self._rules_changed(rest)
        else:
            self._pass_private(kind, rest)

    def resumed(self) -> None:
        """Something may have been missed, of another epoch even: ask the log."""
        self._stale = True
        self._read_rules()
        self._fetch()

    def _pass_private(self, kind: bytes, rest: bytes) -> None:
        if kind == b"p":
            self.scene.count(rest)
            self.send(raw_event_frame("room:poll", rest), droppable=True)
        elif kind == b"r":
            self.send(raw_event_frame("room:reactions", rest), droppable=True)
        elif kind == b"d":
            event, _, body = rest.partition(b" ")
            self.tell_desk(raw_event_frame(event.decode(), body))
        elif kind == b"u":
            user, event, body = rest.split(b" ", 2)
            self._around.to_user(self.id, user.decode(), raw_event_frame(event.decode(), body))

    def send(self, frame: str, *, droppable: bool = False) -> None:
        """To everybody here."""
        self.audience.send(frame, droppable=droppable)
        self.staff.send(frame, droppable=droppable)

    def tell_desk(self, frame: str) -> None:
        for member in tuple(self.desk):
            member.offer(frame)

    def _show_all(self, packet: str) -> None:
        self._merger.show(packet)
        self._staff_merger.show(packet)

    def _take(self, epoch: str, line: Line) -> None:
        self._heard = Position(epoch, line.offset)
        here = self.position
        if here is None or self._fetching is not None:
            return
        if self._heard == (here.epoch, here.offset + 1):
            self._pass_on(line)
        elif epoch != here.epoch or line.offset > here.offset:
            self._fetch()

    def _pass_on(self, line: Line) -> None:
        removed = self.lines.add(line)
        self._staff_merger.push(line.entry)
        if removed is not None and self._held_back.seconds:
            self._hint(removed)
        self._held_back.add(line)
        self._consider(line)

    def _consider(self, line: Line) -> None:
        if not is_control(line.mark):
            self.said += 1
            self._on_top.look(line)
            return
        self.scene.look(line)
        self._delay_as_set()

    def _delay_as_set(self) -> None:
        before, self._held_back.seconds = self._held_back.seconds, self.scene.settings.delay_seconds
        if before and not self._held_back.seconds:
            self._held_back.let_go()

    def _show(self, line: Line) -> None:
        self._merger.push(self.lines.as_shown(line).entry)

    def _hint(self, removed: bytes) -> None:
        """Others have messages on their screens that are removed by a line which waits: tell them at once."""
        user, _, message = removed.decode().partition(" ")
        everything = user == "*"
        hint = RoomRemoved(stream_id=self.id, user_id=None if everything else user, message_id=message or None)
        self.audience.send(event_frame("room:removed", hint))

    def _status(self, body: bytes) -> None:
        status = msgspec.json.decode(body, type=RoomStatus)
        self.stream = msgspec.structs.replace(
            self.stream, status=status.status, title=status.title, category=status.category
        )
        if status.status == "ended":
            self._held_back.let_go()
        self._merger.flush()  # what was said before the end is read before the end
        self._staff_merger.flush()
        self.send(raw_event_frame("room:status", body))

    # --- rules

    def _rules_changed(self, rest: bytes) -> None:
        revision, _, body = rest.partition(b" ")
        patch = msgspec.json.decode(body, type=Patch) if body else Patch()
        if not body or not self.scene.patch(int(revision), patch):
            self._read_rules()
            return
        self._delay_as_set()
        for user_id in patch.concerned():
            self._around.standing_changed(self, user_id)

    def _read_rules(self) -> None:
        if self._reading_rules is None or self._reading_rules.done():
            self._reading_rules = self._around.spawn(self._take_rules())

    async def _take_rules(self) -> None:
        known = self.scene.rules
        while True:
            try:
                found = await self._around.known(self.id)
            except Unavailable as failure:
                log.info("room.rules_wait", stream_id=self.id, code=failure.code)
                await asyncio.sleep(LONGEST_WAIT_SECONDS)
                continue
            if found.rules.revision >= self.scene.rules.revision:
                self._begin_scene(found)
            for user_id in known.differing(self.scene.rules):
                self._around.standing_changed(self, user_id)
            return

    def _begin_scene(self, known: Known) -> None:
        self.scene.begin(known)
        self._delay_as_set()

    # --- holes

    def _fetch(self) -> None:
        if self._fetching is None and self.position is not None:
            self._fetching = self._around.spawn(self._catch_up())

    def _fetch_unless_level(self) -> None:
        if self._stale or not self._is_level():
            self._fetch()

    def _is_level(self) -> bool:
        return self._heard is None or self.position is None or _covers(self.position, self._heard)

    async def _catch_up(self) -> None:
        try:
            for attempt in range(FETCH_ATTEMPTS):
                self._stale = False
                try:
                    self._adopt(await self._look(self.position))
                except Unavailable as failure:
                    log.info("room.hole_waits", stream_id=self.id, code=failure.code)
                    self._stale = True
                    await asyncio.sleep(min(LONGEST_WAIT_SECONDS, 0.1 * 2**attempt))
                    continue
                if not self._stale and self._is_level():
                    return
            log.error("room.hole", stream_id=self.id)
            self._reset()
        finally:
            self._fetching = None

    async def _look(self, position: Position | None) -> Recovered | Lost:
        return await self._log.since(self.id, position, fresh=FRESH_ENTRIES)

    def _adopt(self, found: Recovered | Lost) -> None:
        if isinstance(found, Lost):
            self._reset()
            self._begin_lines(found)
            self.scene.lose_log()
            self._read_rules()
            return
        for line in found.lines:
            self._pass_on(line)

    def _begin_lines(self, found: Recovered | Lost) -> None:
        self.lines.begin(found)
        self._on_top.begin(found.lines)

    def _reset(self) -> None:
        self._merger.forget()
        self._staff_merger.forget()
        self._held_back.forget()
        self.send(event_frame("room:reset", RoomReset(stream_id=self.id)))


def _covers(here: Position, heard: Position) -> bool:
    return here.epoch == heard.epoch and here.offset >= heard.offset
