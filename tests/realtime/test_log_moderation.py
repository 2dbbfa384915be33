"""The other half of the room log's contract: rules, removals, and what an undo brings back."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from infra.clock import milliseconds
from infra.errors import FootlightError
from realtime.entries import RoomSettings
from realtime.errors import ChatBanned, ChatSlowMode, RoomEnded
from realtime.moderation.errors import (
    ChatEmoteOnly,
    ChatFollowersOnly,
    ChatNotUnique,
    ChatReadOnly,
    ChatSubscribersOnly,
    ChatWarned,
)
from realtime.room.log import Applied, Behind, FollowUnknown, Line, Lost, Position, Rank, Recovered, RoomLog
from realtime.room.rules import Caution, Change, Patch, Rules, Sanction
from tests.realtime.logs import ROOM, Decisions, Made, said, texts


@pytest.fixture
async def decide(log: RoomLog) -> Decisions:
    return Decisions(log)


def in_a_minute() -> int:
    return milliseconds(datetime.now(UTC) + timedelta(minutes=1))


def shown(lines: list[Line]) -> list[str]:
    """What a reader sees, `-` for what was removed and the message's text for what came back."""
    entries: list[dict[str, Any]] = [msgspec.json.decode(line.entry) for line in lines]
    assert [entry["offset"] for entry in entries] == [line.offset for line in lines]
    return ["-" if entry.get("kind") == "removed" else entry.get("message", entry)["text"] for entry in entries]


async def test_who_is_banned_may_not_speak_until_then(log: RoomLog, decide: Decisions) -> None:
    await log.append(ROOM, said("before"))
    await decide.make(entry=False, sanction=("ada", Sanction(until=in_a_minute(), reason="spam")))
    with pytest.raises(ChatBanned) as refused:
        await log.append(ROOM, said("a"))
    assert 0 < refused.value.details["retry_after_ms"] <= 60_000
    assert (await log.append(ROOM, said("before"))).offset == 1
    assert (await log.append("elsewhere", said("a"))).offset == 1
    assert (await log.append(ROOM, said("a", "bob"))).offset == 2
    with pytest.raises(ChatBanned):
        await log.append(ROOM, replace(said("b"), rank=Rank.LET_THROUGH))
    await decide.make(entry=False, sanction=("ada", Sanction(until=milliseconds(datetime.now(UTC)) - 1000)))
    assert (await log.append(ROOM, said("a"))).offset == 3


async def test_a_ban_for_good_ends_when_it_is_lifted(log: RoomLog, decide: Decisions) -> None:
    await decide.make(entry=False, sanction=("ada", Sanction(until=None)))
    with pytest.raises(ChatBanned) as refused:
        await log.append(ROOM, said("a"))
    assert refused.value.details == {}
    await decide.make(entry=False, lift="ada")
    assert (await log.append(ROOM, said("a"))).offset == 1


async def test_slow_mode_leaves_time_between_two_messages(log: RoomLog, decide: Decisions) -> None:
    await decide.make(entry=False, settings=RoomSettings(slow_seconds=30))
    await log.append(ROOM, said("a"))
    with pytest.raises(ChatSlowMode) as refused:
        await log.append(ROOM, said("b"))
    assert 20_000 < refused.value.details["retry_after_ms"] <= 30_000
    assert (await log.append(ROOM, said("a"))).offset == 1
    assert (await log.append(ROOM, replace(said("c"), rank=Rank.NOT_MODES))).offset == 2
    assert (await log.append(ROOM, said("b", "bob"))).offset == 3
    await decide.make(entry=False, settings=RoomSettings())
    assert (await log.append(ROOM, said("b"))).offset == 4


async def test_who_was_warned_acknowledges_first(log: RoomLog, decide: Decisions) -> None:
    await decide.make(entry=False, caution=("ada", Caution(id="w-1", reason="no links, please")))
    with pytest.raises(ChatWarned) as refused:
        await log.append(ROOM, said("a"))
    assert refused.value.details == {"warning": {"id": "w-1", "reason": "no links, please"}}
    await decide.make(entry=False, acknowledge="ada")
    assert (await log.append(ROOM, said("a"))).offset == 1


MODES: list[tuple[RoomSettings, type[FootlightError], dict[str, Any]]] = [
    (RoomSettings(read_only=True), ChatReadOnly, {"rank": Rank.MODERATES}),
    (RoomSettings(subscribers_only=True), ChatSubscribersOnly, {"subscriber": True}),
    (RoomSettings(emote_only=True), ChatEmoteOnly, {"emotes_only": True}),
    (RoomSettings(followers_seconds=0), ChatFollowersOnly, {"follow_known": True, "followed_at": 1_000}),
]


@pytest.mark.parametrize(("settings", "refusal", "enough"), MODES)
async def test_a_mode_refuses_who_it_is_for(
    log: RoomLog, decide: Decisions, settings: RoomSettings, refusal: type[FootlightError], enough: dict[str, Any]
) -> None:
    await decide.make(entry=False, settings=settings)
    stranger = replace(said("a"), follow_known=True)
    with pytest.raises(refusal):
        await log.append(ROOM, stranger)
    assert (await log.append(ROOM, replace(stranger, **enough))).offset == 1
    assert (await log.append(ROOM, replace(said("b", "mo"), rank=Rank.MODERATES))).offset == 2
    assert (await log.append(ROOM, replace(said("c", "mo"), rank=Rank.LET_THROUGH))).offset == 3
    await decide.make(entry=False, settings=RoomSettings())
    assert (await log.append(ROOM, said("d"))).offset == 4


async def test_followers_wait_until_they_followed_long_enough(log: RoomLog, decide: Decisions) -> None:
    await decide.make(entry=False, settings=RoomSettings(followers_seconds=600))
    with pytest.raises(FollowUnknown):
        await log.append(ROOM, said("a"))
    now = milliseconds(datetime.now(UTC))
    with pytest.raises(ChatFollowersOnly) as refused:
        await log.append(ROOM, replace(said("a"), follow_known=True, followed_at=now - 60_000))
    assert 500_000 < refused.value.details["retry_after_ms"] <= 540_000
    with pytest.raises(ChatFollowersOnly) as never:
        await log.append(ROOM, replace(said("a"), follow_known=True))
    assert never.value.details == {"followers_seconds": 600}
    assert (await log.append(ROOM, replace(said("a"), follow_known=True, followed_at=now - 601_000))).offset == 1


async def test_in_unique_chat_nobody_repeats_what_was_said(log: RoomLog, decide: Decisions) -> None:
    await decide.make(entry=False, settings=RoomSettings(unique_chat=True))
    await log.append(ROOM, replace(said("a"), fingerprint=b"hello"))
    with pytest.raises(ChatNotUnique) as refused:
        await log.append(ROOM, replace(said("b", "bob"), fingerprint=b"hello"))
    assert 500_000 < refused.value.details["retry_after_ms"] <= 600_000
    assert (await log.append(ROOM, replace(said("b", "bob"), fingerprint=b"hello there"))).offset == 2


async def test_the_order_of_the_checks(made: Made) -> None:
    decide = Decisions(made.log)
    strict = RoomSettings(slow_seconds=30, read_only=True, followers_seconds=0)
    await made.log.append(ROOM, said("a"))
    await decide.make(entry=False, settings=strict, caution=("ada", Caution(id="w", reason="")))
    with pytest.raises(ChatWarned):
        await made.log.append(ROOM, said("b"))
    await decide.make(entry=False, sanction=("ada", Sanction(until=None)))
    with pytest.raises(ChatBanned):
        await made.log.append(ROOM, said("b"))
    with pytest.raises(ChatReadOnly):
        await made.log.append(ROOM, said("b", "bob"))
    with pytest.raises(RoomEnded):
        await made.log.append(ROOM, replace(said("b"), ended=True))
    await made.end()
    with pytest.raises(RoomEnded):
        await made.log.append(ROOM, said("b"))
    assert (await made.log.append(ROOM, replace(said("a"), ended=True))).offset == 1


async def test_changes_are_taken_in_their_order_and_once(log: RoomLog) -> None:
    def change(revision: int) -> Change:
        entry = msgspec.Raw(b'{"text":"change"}')
        return Change(id=f"c-{revision}", revision=revision, stream_id=None, entry=entry, patch=Patch())

    assert await log.control(ROOM, change(2)) == Behind(0)
    assert await log.control(ROOM, change(1)) == Applied(1)
    answers = await asyncio.gather(*(log.control(ROOM, change(2)) for _ in range(5)))
    assert answers == [Applied(2)] * 5
    assert await log.control(ROOM, change(1)) == Applied(2)
    assert [line.offset for line in await log.tail(ROOM, 10)] == [1, 2]


async def test_a_change_for_another_stream_changes_the_rules_alone(log: RoomLog) -> None:
    entry, patch = msgspec.Raw(b'{"text":"x"}'), Patch(role=("mo", "moderator"))
    await log.control(ROOM, Change(id="c", revision=1, stream_id="other", entry=entry, patch=patch))
    assert await log.tail(ROOM, 10) == []
    assert (await log.known(ROOM)).rules.roles == {"mo": "moderator"}


async def test_rules_are_what_was_put_and_every_change_since(log: RoomLog) -> None:
    settings = RoomSettings(followers_seconds=60, unique_chat=True)
    begun = Rules(
        revision=7,
        settings=settings,
        roles={"vi": "vip", "mo": "moderator"},
        sanctions={"eve": Sanction(until=None, reason="spam, twice"), "tim": Sanction(until=5_000_000_000_000)},
        cautions={"wil": Caution(id="w-1", reason="be kind")},
    )
    await log.put_rules(ROOM, begun)
    assert (await log.known(ROOM)).rules == begun
    await log.put_rules(ROOM, Rules(revision=6))
    assert (await log.known(ROOM)).rules == begun
    patch = Patch(role=("mo", "viewer"), lift="eve", acknowledge="wil", settings=RoomSettings(slow_seconds=5))
    assert await log.control(ROOM, Change(id="c", revision=8, stream_id=None, patch=patch)) == Applied(8)
    now = (await log.known(ROOM)).rules
    assert (now.revision, now.roles, now.settings) == (8, {"vi": "vip"}, RoomSettings(slow_seconds=5))
    assert (set(now.sanctions), now.cautions) == ({"tim"}, {})


async def test_a_room_slows_itself_down_once(log: RoomLog) -> None:
    assert [await log.set_auto_slow(ROOM, 5, b'{"text":"slow"}') for _ in range(2)] == [True, False]
    assert (await log.known(ROOM)).rules.settings.auto_slow_seconds == 5
    await log.append(ROOM, said("a"))
    with pytest.raises(ChatSlowMode):
        await log.append(ROOM, said("b"))
    assert await log.set_auto_slow(ROOM, 0, b'{"text":"fast"}')
    await log.append(ROOM, said("b"))
    assert texts(await log.tail(ROOM, 10)) == ["slow", "a", "fast", "b"]


async def test_what_is_removed_is_given_to_nobody_again(log: RoomLog, decide: Decisions) -> None:
    for text, user in (("a", "ada"), ("b", "bob"), ("c", "ada"), ("d", "cy")):
        place = await log.append(ROOM, said(text, user))
    await decide.make("!m bob id-b")
    assert shown(await log.tail(ROOM, 10)) == ["a", "-", "c", "d", "change-1"]
    await decide.make("!u ada")
    found = await log.since(ROOM, Position(place.epoch, 1))
    assert isinstance(found, Recovered)
    assert shown(found.lines) == ["-", "-", "d", "change-1", "change-2"]
    await log.append(ROOM, said("e"))
    fresh = await log.since(ROOM, None)
    assert isinstance(fresh, Lost)
    assert shown(fresh.lines) == ["-", "-", "-", "d", "change-1", "change-2", "e"]
    await decide.make("!*")
    assert shown(await log.tail(ROOM, 10)) == ["-", "-", "-", "-", "change-1", "change-2", "-", "change-3"]


async def test_a_user_whose_name_begins_like_anothers_keeps_their_messages(log: RoomLog, decide: Decisions) -> None:
    await log.append(ROOM, said("a", "ada"))
    await log.append(ROOM, said("b", "adam"))
    await decide.make("!u ada")
    assert shown(await log.tail(ROOM, 10)) == ["-", "b", "change-1"]


async def test_a_pin_goes_with_its_message_and_does_not_come_back_with_it(log: RoomLog, decide: Decisions) -> None:
    await log.append(ROOM, said("a"))
    await decide.make("+ada id-a")
    removal = await decide.make("!m ada id-a")
    assert shown(await log.tail(ROOM, 10)) == ["-", "-", "change-2"]
    await decide.make(restores=removal)
    assert shown(await log.tail(ROOM, 10)) == ["-", "-", "change-2", "change-3", "a"]


async def test_an_undo_brings_back_what_this_removal_took(log: RoomLog, decide: Decisions) -> None:
    for text, user in (("a", "ada"), ("b", "ada"), ("c", "bob")):
        await log.append(ROOM, said(text, user))
    single = await decide.make("!m ada id-a")
    ban = await decide.make("!u ada")
    await decide.make(restores=ban)
    assert shown(await log.tail(ROOM, 3)) == ["change-2", "change-3", "b"]
    await decide.make(restores=single)
    assert shown(await log.tail(ROOM, 1)) == ["change-4"]  # the ban would take it still
    assert await decide.make(entry=False, restores="nothing")
    again = await decide.make("!u ada")
    assert shown(await log.tail(ROOM, 10)) == [
        "-",
        "-",
        "c",
        "change-1",
        "change-2",
        "change-3",
        "-",
        "change-4",
        "change-6",
    ]
    await decide.make(entry=False, restores=again)
    lines = await log.tail(ROOM, 1)
    assert shown(lines) == ["b"]
    assert msgspec.json.decode(lines[0].entry)["message"]["offset"] == 2


async def test_a_removed_message_is_found_for_who_must_judge(log: RoomLog, decide: Decisions) -> None:
    await log.append(ROOM, said("a"))
    for number in range(3):
        await log.append(ROOM, said(f"x{number}", "bob"))
    await decide.make("!m ada id-a")
    found = await log.find(ROOM, "ada", "id-a")
    assert found is not None
    assert msgspec.json.decode(found)["text"] == "a"
    assert await log.find(ROOM, "ada", "id-b") is None


async def test_an_ended_room_is_still_moderated(made: Made) -> None:
    await made.log.append(ROOM, said("a"))
    await made.end()
    await Decisions(made.log).make("!u ada")
    assert shown(await made.log.tail(ROOM, 10)) == ["-", "change-1"]


async def test_what_stands_in_a_room_is_known_until_it_is_removed(log: RoomLog) -> None:
    async def take(revision: int, mark: str, entry: bytes) -> None:
        change = Change(id=f"c-{revision}", revision=revision, stream_id=None, mark=mark, entry=msgspec.Raw(entry))
        assert await log.control(ROOM, change) == Applied(revision)

    await take(1, "+ada id-a", b'{"kind":"pin","pin":1}')
    await take(2, "!", b'{"kind":"poll","poll":1}')
    await take(3, "!", b'{"kind":"poll","poll":2}')
    standing = (await log.known(ROOM)).standing
    assert [(line.offset, line.mark, line.entry) for line in standing] == [
        (1, b"+ada id-a", b'{"offset":1,"kind":"pin","pin":1}'),
        (3, b"!", b'{"offset":3,"kind":"poll","poll":2}'),
    ]
    await take(4, "!u ada", b'{"kind":"moderation"}')
    assert [line.offset for line in (await log.known(ROOM)).standing] == [3]
