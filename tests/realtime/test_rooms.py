"""Joining, saying and hearing, over two nodes."""

import asyncio

import msgspec
import pytest

from infra.clock import new_id
from infra.stores.redis import Redis
from realtime.client import Refused, View, open_client
from realtime.entries import RoomSettings
from realtime.room.log_redis import RedisRoomLog, key, room_functions
from realtime.room.rules import Sanction
from tests.realtime.logs import Decisions
from tests.realtime.nodes import TestNode, token_of


def texts(view: View) -> list[str]:
    return [entry["text"] for entry in view.entries]


async def test_what_one_node_is_told_is_heard_on_both(nodes: list[TestNode], stream_id: str) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("ada")) as ada,
        open_client([nodes[1].url], device="browser-one") as guest,
    ):
        hers, theirs = await ada.join(stream_id), await guest.join(stream_id)
        offset = await ada.send(stream_id, "  hello  ")
        await guest.until(lambda: theirs.entries)
        await ada.until(lambda: hers.entries)
    assert offset == 1
    assert theirs.entries == hers.entries
    entry = theirs.entries[0]
    assert entry["text"] == "hello"
    assert entry["user"] == {"id": "ada", "name": "Ada", "role": "viewer"}
    assert entry.keys() == {"offset", "stream_id", "kind", "id", "user", "text", "at"}


async def test_a_join_answers_with_everything_a_page_needs(node: TestNode, stream_id: str) -> None:
    async with open_client([node.url], token=token_of("creator-1")) as cleo, open_client([node.url]) as guest:
        hers, theirs = (await cleo.join(stream_id)).answer, (await guest.join(stream_id)).answer
    assert hers["me"]["user"] == {"id": "creator-1", "name": "Creator-1", "role": "creator"}
    assert hers["me"]["may_chat"]
    assert set(hers["me"]["capabilities"]) >= {"chat", "moderate", "appoint", "own"}
    nobody: dict[str, object] = {"capabilities": [], "restriction": None, "warning": None, "following_since": None}
    assert theirs["me"] == {"user": None, "may_chat": False, **nobody}
    assert theirs["stream"] == {
        "id": stream_id,
        "title": "Evening",
        "category": "music",
        "status": "live",
        "creator": {"id": "creator-1", "display_name": "Cleo"},
    }
    assert theirs["settings"] == msgspec.to_builtins(RoomSettings())
    assert (theirs["offset"], theirs["recovered"], theirs["entries"]) == (0, False, [])
    assert theirs["viewers"] >= 1


async def test_a_reader_who_comes_back_gets_exactly_what_it_missed(nodes: list[TestNode], stream_id: str) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("ada")) as ada,
        open_client([node.url for node in nodes]) as guest,
    ):
        await ada.join(stream_id)
        view = await guest.join(stream_id)
        await ada.send(stream_id, "before")
        await guest.until(lambda: view.offset == 1)
        guest.paused.clear()
        await guest.drop()
        for number in range(5):
            await ada.send(stream_id, f"missed {number}")
        guest.paused.set()
        await guest.until(lambda: view.offset == 6)
    assert texts(view) == ["before", *(f"missed {number}" for number in range(5))]
    assert (view.rejoins, view.resets) == (1, 0)


async def test_beyond_the_log_the_reader_begins_anew(nodes: list[TestNode], stream_id: str, redis: Redis) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("ada")) as ada,
        open_client([nodes[1].url]) as guest,  # on a node that was not there when it was said
    ):
        view = await ada.join(stream_id)
        for number in range(5):
            await ada.send(stream_id, str(number))
        await redis.xtrim(key(stream_id, "log"), maxlen=3, approximate=False)
        exact = await guest.ask("room:join", {"stream_id": stream_id, "epoch": view.epoch, "offset": 2})
        beyond = await guest.ask("room:join", {"stream_id": stream_id, "epoch": view.epoch, "offset": 1})
        stranger = await guest.ask("room:join", {"stream_id": stream_id, "epoch": "abc", "offset": 5})
    assert (exact["recovered"], [entry["offset"] for entry in exact["entries"]]) == (True, [3, 4, 5])
    assert (beyond["recovered"], [entry["offset"] for entry in beyond["entries"]]) == (False, [3, 4, 5])
    assert stranger["recovered"] is False


async def test_a_lost_log_resets_who_is_connected(nodes: list[TestNode], stream_id: str, redis: Redis) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("ada")) as ada,
        open_client([nodes[1].url]) as guest,
    ):
        await ada.join(stream_id)
        view = await guest.join(stream_id)
        await ada.send(stream_id, "old")
        await guest.until(lambda: view.offset == 1)
        first = view.epoch
        await redis.delete(key(stream_id, "meta"), key(stream_id, "log"))
        await ada.send(stream_id, "new")
        await guest.until(lambda: view.resets and view.entries)
    assert view.epoch != first
    assert texts(view) == ["new"]


async def test_a_frame_the_bus_lost_is_fetched_before_the_next_is_shown(
    node: TestNode, stream_id: str, redis: Redis
) -> None:
    async with open_client([node.url], token=token_of("ada")) as ada:
        view = await ada.join(stream_id)
        await ada.send(stream_id, "one")
        await ada.until(lambda: view.offset == 1)
        # Behind the node's back: an entry that was logged and never told.
        await redis.xadd(key(stream_id, "log"), {"e": _entry(stream_id, 2)}, id="2-0")
        await redis.hset(key(stream_id, "meta"), "offset", 2)
        await ada.send(stream_id, "three")
        await ada.until(lambda: view.offset == 3)
    assert texts(view) == ["one", "silent", "three"]
    assert view.rejoins == 0


def _entry(stream_id: str, offset: int) -> str:
    return (
        f'{{"offset":{offset},"stream_id":"{stream_id}","kind":"message","id":"silent-00",'
        '"user":{"id":"x","name":"X","role":"viewer"},"text":"silent","at":1}'
    )


async def test_the_same_id_on_two_nodes_at_once_is_stored_once(nodes: list[TestNode], stream_id: str) -> None:
    token = token_of("ada")
    async with open_client([nodes[0].url], token=token) as one, open_client([nodes[1].url], token=token) as two:
        view = await one.join(stream_id)
        await two.join(stream_id)
        name = new_id()
        offsets = await asyncio.gather(*(client.send(stream_id, "once", name) for client in (one, two) * 10))
        await one.until(lambda: view.entries)
        again = await two.ask("room:join", {"stream_id": stream_id})
    assert set(offsets) == {1}
    assert [entry["id"] for entry in again["entries"]] == [name]


async def test_twenty_messages_in_thirty_seconds_over_all_nodes(nodes: list[TestNode], stream_id: str) -> None:
    token = token_of("ada")
    async with open_client([nodes[0].url], token=token) as one, open_client([nodes[1].url], token=token) as two:
        await one.join(stream_id)
        await two.join(stream_id)
        answers = await asyncio.gather(
            *(one.send(stream_id, f"{number}", f"message-{number}") for number in range(12)),
            *(two.send(stream_id, f"{number}", f"another-{number}") for number in range(12)),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert sorted(answer for answer in answers if isinstance(answer, int)) == list(range(1, 21))
        assert [error.code for error in refused] == ["chat.too_fast"] * 4
        assert all(0 < error.details["retry_after_ms"] <= 30_000 for error in refused)
        # A repeated message is answered, not counted and not refused.
        sent = next(i for i, answer in enumerate(answers[:12]) if isinstance(answer, int))
        assert await one.send(stream_id, "again", f"message-{sent}") == answers[sent]


async def test_slow_mode_and_bans_hold_on_every_node(nodes: list[TestNode], stream_id: str, redis: Redis) -> None:
    log = RedisRoomLog(room_functions(redis))
    async with (
        open_client([nodes[0].url], token=token_of("ada")) as ada,
        open_client([nodes[1].url], token=token_of("creator-1")) as cleo,
    ):
        for client in (ada, cleo):
            assert (await client.join(stream_id)).answer["settings"]["slow_seconds"] == 0
        decide = Decisions(log, stream_id)
        await decide.make(entry=False, settings=RoomSettings(slow_seconds=30))
        await ada.send(stream_id, "one")
        with pytest.raises(Refused) as slow:
            await ada.send(stream_id, "two")
        assert [await cleo.send(stream_id, text) for text in ("three", "four")] == [2, 3]
        await cleo.until(lambda: cleo.views[stream_id].offset == 3)  # so her node has heard of slow mode before
        async with open_client([nodes[1].url]) as late:
            assert (await late.join(stream_id)).answer["settings"]["slow_seconds"] == 30
        await decide.make(entry=False, sanction=("ada", Sanction(until=None)))
        with pytest.raises(Refused) as banned:
            await ada.send(stream_id, "five")
    assert (slow.value.code, banned.value.code) == ("chat.slow_mode", "chat.banned")
    assert 0 < slow.value.details["retry_after_ms"] <= 30_000


async def test_a_warm_room_never_asks_the_database(nodes: list[TestNode], stream_id: str) -> None:
    async with open_client([nodes[0].url]) as first:
        await asyncio.gather(first.join(stream_id), *(first.ask("room:join", {"stream_id": stream_id}) for _ in "abc"))
        async with open_client([nodes[1].url]) as second:
            await second.join(stream_id)
    assert (nodes[0].streams.asked, nodes[1].streams.asked) == (1, 0)


async def test_a_room_is_forgotten_with_its_last_member(node: TestNode, stream_id: str, redis: Redis) -> None:
    channel = key(stream_id, "channel")
    async with open_client([node.url]) as guest:
        await guest.join(stream_id)
        assert (await _subscribers(redis, channel)) == 1
        await guest.leave(stream_id)
        while await _subscribers(redis, channel):  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.01)
        await guest.join(stream_id)
        assert (await _subscribers(redis, channel)) == 1


async def _subscribers(redis: Redis, channel: str) -> int:
    owner = redis.get_node_from_key(channel)
    assert owner is not None
    answer = await owner.execute_command("PUBSUB", "SHARDNUMSUB", channel)
    return int((list(answer.values()) if isinstance(answer, dict) else answer[1::2])[0])


REFUSED: tuple[tuple[str, object, str], ...] = (
    ("room:join", {"stream_id": "missing"}, "room.not_found"),
    ("room:join", {"stream_id": "a{b}c"}, "request.invalid"),
    ("room:join", {"stream_id": "a", "more": 1}, "request.invalid"),
    ("room:join", None, "request.invalid"),
    ("room:join", {"stream_id": "stream-1", "epoch": "x!", "offset": 1}, "request.invalid"),
    ("room:join", {"stream_id": "stream-1", "offset": -1}, "request.invalid"),
    ("room:nonsense", {}, "request.unknown_event"),
    ("chat:send", {"stream_id": "stream-1", "id": "short", "text": "x"}, "request.invalid"),
    ("chat:send", {"stream_id": "stream-1", "id": "long-enough", "text": 5}, "request.invalid"),
    ("chat:send", {"stream_id": "stream-1", "id": "long-enough", "text": "x"}, "room.not_joined"),
)


async def test_what_cannot_be_right_is_refused(node: TestNode) -> None:
    async with open_client([node.url], token=token_of("ada")) as ada:
        for event, body, code in REFUSED:
            with pytest.raises(Refused) as refused:
                await ada.ask(event, body)
            assert refused.value.code == code, (event, body)


async def test_only_who_signed_in_may_speak(node: TestNode, stream_id: str) -> None:
    async with open_client([node.url]) as guest:
        await guest.join(stream_id)
        with pytest.raises(Refused) as refused:
            await guest.send(stream_id, "hello")
    assert refused.value.code == "auth.required"


async def test_text_that_cannot_be_shown_is_refused(node: TestNode, stream_id: str) -> None:
    async with open_client([node.url], token=token_of("ada")) as ada:
        await ada.join(stream_id)
        with pytest.raises(Refused) as refused:
            await ada.send(stream_id, "a\u202eb")
    assert (refused.value.code, refused.value.details) == ("chat.text_invalid", {"reason": "characters"})


async def test_ten_rooms_are_enough_for_one_socket(node: TestNode) -> None:
    async with open_client([node.url]) as guest:
        for number in range(10):
            await guest.ask("room:join", {"stream_id": f"stream-{number}"})
        with pytest.raises(Refused) as refused:
            await guest.ask("room:join", {"stream_id": "stream-10"})
        await guest.ask("room:join", {"stream_id": "stream-3"})  # again is fine
        await guest.leave("stream-3")
        await guest.ask("room:join", {"stream_id": "stream-10"})
    assert refused.value.code == "room.too_many"


async def test_more_than_ten_events_a_second_are_refused(node: TestNode) -> None:
    async with open_client([node.url]) as guest:
        asked = [guest.ask("room:leave", {"stream_id": "stream-1"}) for _ in range(40)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {error.code for error in refused} == {"limit.rate"}
    assert 1 <= len(refused) <= 10
