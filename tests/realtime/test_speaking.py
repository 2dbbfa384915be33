"""What somebody is answered who speaks in a moderated room, on sockets of real nodes: each refusal, and what
moderators change for those who are there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from infra.bus.port import Bus
from infra.clock import new_id, system_clock
from infra.errors import FootlightError
from infra.outbox import Outbox
from infra.settings import RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.client import Refused, RoomClient
from realtime.entries import User
from realtime.events import SPOKEN
from realtime.moderation.automod import AutoModRules
from realtime.moderation.errors import RestrictedHere
from realtime.moderation.filters import Filters
from realtime.moderation.follows import Follows
from tests.realtime.moderated import Channel, moderated
from tests.realtime.nodes import identify, token_of, until

Prepare = Callable[[Channel, RoomClient, User], Awaitable[Any]]


@pytest.fixture
async def channel(db: Postgres, redis: Redis, redis_settings: RedisSettings, bus: Bus) -> AsyncIterator[Channel]:
    async with moderated(db, redis, redis_settings, bus) as one:
        yield one


@pytest.fixture
async def ada(channel: Channel) -> User:
    return await channel.stage.person("Ada")


def filters(channel: Channel) -> Filters:
    return Filters(channel.stage.db, channel.desks[0].moderation.records, clock=system_clock, new_id=new_id)


async def cleo_herself(channel: Channel) -> Any:
    return await identify(token_of(channel.cleo.id, role="creator"))


def modes(**settings: Any) -> Prepare:
    return lambda channel, cleo, _: channel.act(cleo, "mod:settings", **settings)


def sanction(event: str, **body: Any) -> Prepare:
    return lambda channel, cleo, ada: channel.act(cleo, event, user_id=ada.id, **body)


async def _nothing(channel: Channel, cleo: RoomClient, ada: User) -> None:
    """The text is enough."""


async def _ended(channel: Channel, cleo: RoomClient, ada: User) -> None:
    await channel.end()


async def _blocked(channel: Channel, cleo: RoomClient, ada: User) -> None:
    who = await cleo_herself(channel)
    await filters(channel).add_term(who, channel.cleo.id, "rotten tomato", "blocked", action="refuse", public=False)


async def _said_often(channel: Channel, cleo: RoomClient, ada: User) -> None:
    async with channel.client(ada, 1) as other_tab:
        await asyncio.gather(*(channel.say(other_tab, f"again {number}") for number in range(20)))


async def _said_once(channel: Channel, cleo: RoomClient, ada: User, **settings: Any) -> None:
    await channel.act(cleo, "mod:settings", **settings)
    async with channel.client(ada, 1) as other_tab:
        await channel.say(other_tab, "rotten  TOMATO")


TEXT = "rotten tomato"
EVERYTHING_ALLOWED = {
    "slow_seconds": 0, "followers_seconds": None, "subscribers_only": False, "emote_only": False,
    "unique_chat": False, "read_only": False,
}  # fmt: skip
REFUSALS: dict[str, tuple[Prepare, str, set[str]]] = {
    "chat.text_invalid": (_nothing, "", {"reason"}),
    "chat.too_fast": (_said_often, TEXT, {"retry_after_ms"}),
    "chat.slow_mode": (lambda *who: _said_once(*who, slow_seconds=60), TEXT, {"retry_after_ms"}),
    "chat.banned": (sanction("mod:timeout", seconds=60), TEXT, {"retry_after_ms"}),
    "chat.warned": (sanction("mod:warn", reason="be kind"), TEXT, {"warning"}),
    "chat.read_only": (modes(read_only=True), TEXT, set()),
    "chat.followers_only": (modes(followers_seconds=60), TEXT, {"followers_seconds"}),
    "chat.subscribers_only": (modes(subscribers_only=True), TEXT, set()),
    "chat.emote_only": (modes(emote_only=True), TEXT, set()),
    "chat.not_unique": (lambda *who: _said_once(*who, unique_chat=True), TEXT, {"retry_after_ms"}),
    "chat.blocked": (_blocked, TEXT, {"reasons"}),  # from here on TEXT is refused before anything else is asked
    "room.ended": (_ended, "good bye", set()),
}


def test_every_refusal_of_a_message_is_tried_here() -> None:
    assert set(REFUSALS) == {error.code for error in SPOKEN}


async def test_a_refusal_says_why_and_when_again(channel: Channel) -> None:
    async with channel.client(channel.cleo) as cleo:
        for code, (prepare, text, details) in REFUSALS.items():
            somebody = await channel.stage.person("Ada")
            async with channel.client(somebody) as hers:
                await prepare(channel, cleo, somebody)
                await until(lambda: _knows_all(channel))
                for refused in await _refusals_of(channel, hers, text):
                    assert (refused.code, set(refused.details)) == (code, details)
                    assert refused.message
                    assert refused.details.get("retry_after_ms", 1) > 0
            with contextlib.suppress(Refused):  # when nothing was changed
                await channel.act(cleo, "mod:settings", **EVERYTHING_ALLOWED)
        assert TEXT not in str(await channel.log.tail(channel.stream_id, 100))


async def _refusals_of(channel: Channel, client: RoomClient, text: str) -> list[Refused]:
    """Said plainly, and with a slash command."""
    found = []
    for event, body in (("chat:send", {"text": text}), ("chat:command", {"line": f"/me {text}"}))[: 2 if text else 1]:
        with pytest.raises(Refused) as refused:
            await channel.act(client, event, id=new_id(), **body)
        found.append(refused.value)
    return found


def _knows_all(channel: Channel) -> bool:
    """Every node that has the room knows the same of it."""
    rooms = [room for node in channel.nodes if (room := node.realtime.room(channel.stream_id)) is not None]
    return len({room.scene.rules.revision for room in rooms}) == 1


async def test_who_follows_long_enough_may_speak_among_followers(channel: Channel, ada: User) -> None:
    follows = Follows(channel.stage.db, Outbox(), clock=system_clock)
    async with channel.client(channel.cleo) as cleo, channel.client(ada, 1) as hers:
        await channel.act(cleo, "mod:settings", followers_seconds=60)
        await follows.follow(channel.cleo.id, ada.id)
        with pytest.raises(Refused) as too_early:
            await channel.say(hers, "hello")
        assert 0 < too_early.value.details["retry_after_ms"] <= 60_000
        await channel.act(cleo, "mod:settings", followers_seconds=0)
        await channel.say(hers, "hello")


async def test_a_held_message_waits_for_a_moderator_and_its_author_is_told(channel: Channel, ada: User) -> None:
    who = await cleo_herself(channel)
    await filters(channel).set_automod(who, channel.cleo.id, AutoModRules(level=3))
    text = "look at https://example.test/now"
    async with channel.client(channel.max, 1) as max_, channel.client(ada) as hers:
        name = new_id()
        answer = await channel.act(hers, "chat:send", id=name, text=text)
        assert (answer["held"], answer["offset"]) == (True, 0)
        await max_.until(lambda: _told(max_, "mod:held"))
        assert text not in str(await channel.log.tail(channel.stream_id, 100))
        held = _told(max_, "mod:held")[0]["held"]
        assert held["text"] == text
        assert held["findings"]
        await channel.act(max_, "mod:approve", held_id=held["id"])
        view = hers.views[channel.stream_id]
        await hers.until(lambda: [entry for entry in view.entries if entry.get("id") == name])
        await hers.until(lambda: "approved" in [one["status"] for one in _told(hers, "chat:held")])


def _told(client: RoomClient, event: str) -> list[Any]:
    return [body for name, body in client.told if name == event]


async def test_nobody_answers_or_pins_what_was_removed(channel: Channel, ada: User) -> None:
    async with channel.client(channel.max) as max_, channel.client(ada) as hers:
        message = await channel.say(hers, "hello")
        whom = {"user_id": ada.id, "id": message}
        await max_.until(lambda: max_.views[channel.stream_id].seen.lines)
        reply = await channel.say(max_, "hi", reply_to=whom)
        await channel.act(max_, "mod:delete", user_id=ada.id, message_id=message)
        await hers.until(lambda: hers.views[channel.stream_id].seen.lines.keys() == {2})
        line = hers.views[channel.stream_id].seen.lines[2]
        assert (line["id"], line["reply"]["id"], line["reply"]["user_id"]) == (reply, message, ada.id)
        with pytest.raises(Refused) as refused:
            await channel.say(max_, "hi again", reply_to=whom)
        assert refused.value.code == "mod.message_gone"
        for event in ("mod:pin", "mod:delete"):
            with pytest.raises(Refused) as refused:
                await channel.act(max_, event, user_id=ada.id, message_id=message)
            assert refused.value.code == "mod.message_gone"


async def test_an_announcement_can_be_removed_by_its_author(channel: Channel) -> None:
    async with channel.client(channel.max) as max_:
        said = await channel.act(max_, "mod:announce", text="back in five")
        seen = max_.views[channel.stream_id].seen
        await max_.until(lambda: seen.lines)
        await channel.act(max_, "mod:delete", user_id=channel.max.id, message_id=said["action_id"])
        await max_.until(lambda: not seen.lines)
    assert "back in five" not in str(await channel.log.tail(channel.stream_id, 10))


async def test_moderators_may_say_more(channel: Channel) -> None:
    async with channel.client(channel.max) as max_:
        await asyncio.gather(*(channel.say(max_, f"line {number}") for number in range(25)))
    assert (await channel.log.since(channel.stream_id, None)).position.offset == 25


async def test_an_action_of_somebody_else_is_what_me_says(channel: Channel, ada: User) -> None:
    async with channel.client(ada) as hers:
        await channel.act(hers, "chat:command", id=new_id(), line="/me waves")
        await hers.until(lambda: hers.views[channel.stream_id].entries)
        [entry] = hers.views[channel.stream_id].entries
    assert (entry["text"], entry["me"]) == ("waves", True)


async def test_an_appointment_is_effective_on_open_sockets_of_both_nodes(channel: Channel, ada: User) -> None:
    async with (
        channel.client(channel.cleo) as cleo,
        channel.client(ada, 0) as here,
        channel.client(ada, 1) as there,
    ):
        with pytest.raises(Refused) as refused:
            await channel.act(there, "mod:clear")
        assert refused.value.code == "mod.not_allowed"
        await channel.act(cleo, "mod:moderator", user_id=ada.id)
        for hers in (here, there):
            await hers.until(lambda hers=hers: "moderator" in [one["role"] for one in _told(hers, "room:you")])  # type: ignore[misc]  # bound on purpose
        await channel.act(there, "mod:clear")
        await channel.act(cleo, "mod:moderator", user_id=ada.id, on=False)
        await there.until(lambda: [one["role"] for one in _told(there, "room:you")] == ["moderator", "viewer"])
        with pytest.raises(Refused):
            await channel.act(there, "mod:clear")


async def test_a_ban_acts_on_every_socket_of_the_user_and_on_following(channel: Channel, ada: User) -> None:
    async with (
        channel.client(channel.max) as max_,
        channel.client(ada, 0) as here,
        channel.client(ada, 1) as there,
    ):
        await channel.act(max_, "mod:ban", user_id=ada.id, reason="spam")
        for hers in (here, there):
            await hers.until(lambda hers=hers: _told(hers, "room:you"))  # type: ignore[misc]  # bound on purpose
            told = _told(hers, "room:you")[-1]
            assert told["restriction"] == {"kind": "ban", "until": None, "reason": "spam"}
            assert told["capabilities"] == []
            refused: list[FootlightError] = []
            for event, body in (
                ("chat:send", {"id": new_id(), "text": "hello"}),
                ("chat:react", {"reaction": "heart"}),
            ):
                with pytest.raises(Refused) as one:
                    await channel.act(hers, event, **body)
                refused.append(one.value)
            assert [one.code for one in refused] == ["chat.banned", "chat.banned"]
    with pytest.raises(RestrictedHere):
        await Follows(channel.stage.db, Outbox(), clock=system_clock).follow(channel.cleo.id, ada.id)
