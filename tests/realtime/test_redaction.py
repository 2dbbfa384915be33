"""Pure parts of moderation against models that take no short cuts, and the two logs against each other."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.clock import new_id
from infra.errors import FootlightError
from infra.stores.redis import Redis
from realtime.entries import RoomSettings
from realtime.fold import Seen
from realtime.room.log import Applied, Draft, FollowUnknown, Line, Rank, Recovered, RoomLog
from realtime.room.log_memory import MemoryRoomLog
from realtime.room.log_redis import RedisRoomLog, room_functions
from realtime.room.redaction import redacted
from realtime.room.rules import Caution, Change, Patch, Rules, Sanction, patched
from realtime.room.scene import Scene

USERS, IDS = ("a", "ab", "b"), ("1", "2", "12")
users, ids = st.sampled_from(USERS), st.sampled_from(IDS)
said = st.builds("{} {}".format, users, ids)
marks = st.one_of(
    said,
    said.map("+{}".format),
    said.map("!m {}".format),
    users.map("!u {}".format),
    st.sampled_from(["!", "!*"]),
)


def stands(marks: list[str], index: int) -> bool:
    """By reading on from the line to the end."""
    quoted = marks[index].lstrip("+")
    if quoted.startswith("!"):
        return True
    user = quoted.split()[0]
    return not any(later in ("!*", f"!u {user}", f"!m {quoted}") for later in marks[index + 1 :])


@given(st.lists(marks, max_size=30))
def test_a_line_stands_if_nothing_after_it_removes_it(marks: list[str]) -> None:
    lines = [Line(offset, b'{"offset":%d}' % offset, mark.encode()) for offset, mark in enumerate(marks, 1)]
    expected = [line if stands(marks, index) else b"removed" for index, line in enumerate(lines)]
    shown = redacted(lines, "s")
    assert [line if b"removed" not in line.entry else b"removed" for line in shown] == expected
    assert [line.offset for line in shown] == [line.offset for line in lines]
    assert redacted(shown, "s") == shown


@given(st.lists(marks, max_size=20), st.integers(0, 20))
def test_redacting_the_whole_is_redacting_the_beginning_and_going_on(marks: list[str], at: int) -> None:
    lines = [Line(offset, b'{"offset":%d}' % offset, mark.encode()) for offset, mark in enumerate(marks, 1)]
    assert redacted([*redacted(lines[:at], "s"), *lines[at:]], "s") == redacted(lines, "s")


patches = st.one_of(
    st.builds(Patch, role=st.tuples(users, st.sampled_from(["moderator", "vip", "viewer"]))),
    st.builds(Patch, sanction=st.tuples(users, st.builds(Sanction, until=st.none() | st.integers(1, 9)))),
    st.builds(Patch, lift=users),
    st.builds(Patch, caution=st.tuples(users, st.builds(Caution, id=ids, reason=st.just("why")))),
    st.builds(Patch, acknowledge=users),
    st.builds(Patch, settings=st.builds(RoomSettings, slow_seconds=st.integers(0, 9))),
    st.just(Patch()),
)


@given(st.lists(patches, max_size=15), st.lists(st.integers(0, 14), max_size=30))
def test_a_scene_that_hears_patches_in_any_order_never_differs_from_its_revision(
    patches: list[Patch], heard: list[int]
) -> None:
    truth = [Rules()]
    for patch in patches:
        truth.append(patched(truth[-1], Change(id="", revision=len(truth), stream_id=None, patch=patch)))
    scene = Scene()
    for index in heard:
        if index < len(patches):
            missing = index > scene.rules.revision
            assert scene.patch(index + 1, patches[index]) is not missing
        assert scene.rules == truth[scene.rules.revision]


NAMES, MESSAGES = ("ada", "bob"), 3
people = st.sampled_from(NAMES)
messages = st.integers(0, MESSAGES - 1)
NOTHING = Patch()
steps = st.one_of(
    st.tuples(st.just("say"), people, messages, st.sampled_from(list(Rank))),
    st.tuples(st.just("say"), people, messages, st.just(Rank.EVERYTHING)),
    st.tuples(st.just("say"), people, messages, st.just(Rank.LET_THROUGH)),
    st.tuples(st.just("delete"), people, messages),
    st.tuples(st.just("pin"), people, messages),
    st.tuples(st.just("remove all of"), people),
    st.tuples(st.just("clear")),
    st.tuples(st.just("undo"), st.integers(0, 30)),
    st.tuples(st.just("patch"), st.builds(Patch, sanction=st.tuples(people, st.just(Sanction(until=None))))),
    st.tuples(st.just("patch"), st.builds(Patch, lift=people)),
    st.tuples(st.just("patch"), st.builds(Patch, caution=st.tuples(people, st.just(Caution(id="w", reason="r"))))),
    st.tuples(st.just("patch"), st.builds(Patch, acknowledge=people)),
    st.tuples(
        st.just("patch"),
        st.builds(
            Patch,
            settings=st.builds(
                RoomSettings,
                slow_seconds=st.sampled_from([0, 0, 100]),
                subscribers_only=st.sampled_from([False, False, True]),
                emote_only=st.sampled_from([False, False, True]),
                unique_chat=st.booleans(),
                read_only=st.sampled_from([False, False, True]),
                followers_seconds=st.sampled_from([None, None, 0]),
            ),
        ),
    ),
    st.tuples(st.just("slow by itself"), st.sampled_from([0, 10])),
)


class Player:
    """One of the logs, and every answer it gave."""

    def __init__(self, log: RoomLog) -> None:
        self.log = log
        self.room = f"room-{new_id()}"
        self.revision = 0
        self.answers: list[Any] = []

    async def play(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("say", user, number, rank):
                await self._say(user, number, rank)
            case ("delete", user, number):
                await self._change(f"!m {user} message-{number}")
            case ("pin", user, number):
                await self._change(f"+{user} message-{number}", kind="pin")
            case ("remove all of", user):
                await self._change(f"!u {user}")
            case ("clear",):
                await self._change("!*")
            case ("undo", number):
                await self._change("!", restores=f"change-{number}")
            case ("patch", patch):
                await self._change("!", entry=False, patch=patch)
            case ("slow by itself", seconds):
                entry = b'{"kind":"settings","text":"slow"}'
                self.answers.append(await self.log.set_auto_slow(self.room, seconds, entry))

    async def _say(self, user: str, number: int, rank: Rank) -> None:
        body = b'{"kind":"message","text":"%b-%d"}' % (user.encode(), number)
        print_ = b"print-%d" % (number % 3)
        draft = Draft(user, f"message-{number}", body, rank=rank, rate_count=1000, fingerprint=print_)
        try:
            self.answers.append((await self.log.append(self.room, draft)).offset)
        except (FootlightError, FollowUnknown) as refused:
            self.answers.append(type(refused).__name__)

    async def _change(
        self, mark: str, *, entry: bool = True, kind: str = "moderation", restores: str | None = None,
        patch: Patch = NOTHING,
    ) -> None:  # fmt: skip
        self.revision += 1
        body = msgspec.Raw(msgspec.json.encode({"kind": kind, "text": f"change-{self.revision}"}))
        change = Change(
            id=f"change-{self.revision}",
            revision=self.revision,
            stream_id=None,
            mark=mark,
            entry=body if entry else None,
            patch=patch,
            restores=restores,
        )
        assert await self.log.control(self.room, change) == Applied(self.revision)

    async def view(self) -> dict[str, Any]:
        """All it tells, without what is its own: the room's id and when something came back."""
        lines = await self.log.tail(self.room, 1000)
        known = await self.log.known(self.room)
        messages = [(user, f"message-{number}") for user in NAMES for number in range(MESSAGES)]
        kept = [await self.log.find(self.room, *message) for message in messages]
        not_removed = [await self.log.find(self.room, *message, removed=False) for message in messages]
        return {
            "lines": [(line.offset, line.mark, self._entry(line)) for line in lines],
            "rules": known.rules,
            "standing": sorted((line.offset, line.mark, line.entry) for line in known.standing),
            "answers": self.answers,
            "found": kept,
            "found unless removed": not_removed,
        }

    def _entry(self, line: Line) -> dict[str, Any]:
        entry: dict[str, Any] = msgspec.json.decode(line.entry)
        assert entry["offset"] == line.offset
        return {name: value for name, value in entry.items() if name not in ("stream_id", "at")}


@pytest.fixture
def in_redis(redis: Redis) -> RedisRoomLog:
    return RedisRoomLog(room_functions(redis))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, min_size=10, max_size=40))
async def test_both_logs_tell_the_same_story(in_redis: RedisRoomLog, history: list[tuple[Any, ...]]) -> None:
    memory = MemoryRoomLog(lambda: datetime.now(UTC), lambda room, payload: None)
    players = [Player(memory), Player(in_redis)]
    for player in players:
        for step in history:
            await player.play(step)
    views = [await player.view() for player in players]
    assert views[0] == views[1]


@settings(max_examples=100, deadline=None)
@given(history=st.lists(steps, min_size=10, max_size=40), at=st.integers(0, 40))
async def test_a_snapshot_and_what_follows_is_a_fresh_snapshot(history: list[tuple[Any, ...]], at: int) -> None:
    player = Player(MemoryRoomLog(lambda: datetime.now(UTC), lambda room, payload: None))
    for step in history[:at]:
        await player.play(step)
    begun = await player.log.since(player.room, None, fresh=1000)
    for step in history[at:]:
        await player.play(step)
    rest = await player.log.since(player.room, begun.position)
    assert isinstance(rest, Recovered)
    seen, fresh = Seen(), Seen()
    seen.take(map(_as_sent, [*begun.lines, *rest.lines]))
    fresh.take(map(_as_sent, await player.log.tail(player.room, 1000)))
    assert seen.lines == fresh.lines


def _as_sent(line: Line) -> dict[str, Any]:
    """The tests' short entries as the platform's: who said it is in the mark, whom it is about too."""
    entry: dict[str, Any] = msgspec.json.decode(line.entry)
    about = line.mark.decode().lstrip("!+mu ").split()
    if entry["kind"] == "message":
        return entry | {"user": {"id": about[0]}, "id": about[1]}
    if entry["kind"] == "restored":
        return entry | {"message": entry["message"] | {"user": {"id": about[0]}, "id": about[1]}}
    if entry["kind"] == "moderation":
        action = {b"!*": "clear"}.get(line.mark, {b"!u": "ban", b"!m": "delete"}.get(line.mark[:2], "unban"))
        return entry | {"action": action, "target": {"id": (about or [""])[0]}, "message_id": [*about, "", ""][1]}
    return entry | {entry["kind"]: None}
