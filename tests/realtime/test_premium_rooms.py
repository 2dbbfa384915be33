"""The room of a premium stream is for those who may watch it, on every node."""

from functools import partial

import pytest

from accounts.events import ProfileChanged
from infra.bus.port import Bus
from infra.clock import new_id, system_clock
from infra.stores.redis import Redis
from media.events import StreamDescribed
from realtime.client import Refused, RoomClient, open_client
from realtime.ports import StreamSnapshot
from tests.realtime.nodes import KnownStreams, TestNode, snapshot, token_of, until


@pytest.fixture
def premium_id(nodes: list[TestNode], monkeypatch: pytest.MonkeyPatch) -> str:
    """A stream for subscribers, as both nodes would hear of it."""
    known = f"stream-{new_id()}"

    async def ask(_: KnownStreams, stream_id: str) -> StreamSnapshot | None:
        return snapshot(stream_id, visibility="premium" if stream_id == known else "public")

    monkeypatch.setattr(KnownStreams, "snapshot", ask)
    return known


async def refusal(node: TestNode, stream_id: str, token: str | None) -> str:
    async with open_client([node.url], token=token) as client:
        with pytest.raises(Refused) as refused:
            await client.join(stream_id)
        return refused.value.code


def of_tier(user_id: str, tier: str, channels: dict[str, int] | None = None) -> ProfileChanged:
    return ProfileChanged(
        user_id=user_id,
        display_name=user_id.title(),
        role="free",
        subscription_tier=tier,  # type: ignore[arg-type]  # tests pass one of the two
        channels=channels or {},
        at=system_clock(),
    )


async def test_only_who_may_watch_comes_in(nodes: list[TestNode], premium_id: str) -> None:
    for node in nodes:
        assert await refusal(node, premium_id, None) == "room.premium"
        assert await refusal(node, premium_id, token_of("ada")) == "room.premium"
        assert await refusal(node, premium_id, token_of("cleo", role="creator")) == "room.premium"
        for token in (
            token_of("pia", tier="premium"),
            token_of("creator-1", role="creator"),
            token_of("root", role="admin"),
        ):
            async with open_client([node.url], token=token) as client:
                assert (await client.join(premium_id)).offset == 0


async def test_what_was_said_is_not_told_to_who_is_refused(nodes: list[TestNode], premium_id: str) -> None:
    async with open_client([nodes[0].url], token=token_of("pia", tier="premium")) as pia:
        view = await pia.join(premium_id)
        await pia.send(premium_id, "between us")
        await pia.until(lambda: view.entries)
        async with open_client([nodes[1].url], token=token_of("ada")) as ada:
            place = {"stream_id": premium_id, "epoch": view.epoch, "offset": 0}
            for event, body in (
                ("room:join", place),
                ("room:chatters", {"stream_id": premium_id}),
                ("chat:send", {"stream_id": premium_id, "id": "m-7f3a9c21", "text": "let me in"}),
            ):
                with pytest.raises(Refused) as refused:
                    await ada.ask(event, body)
                assert refused.value.code in ("room.premium", "room.not_joined")
        assert [entry["text"] for entry in view.entries] == ["between us"]


async def test_who_loses_the_tier_is_put_out_on_every_node(nodes: list[TestNode], premium_id: str, bus: Bus) -> None:
    open_id = f"stream-{new_id()}"
    async with (
        open_client([nodes[0].url], token=token_of("ada", tier="premium")) as first,
        open_client([nodes[1].url], token=token_of("ada", tier="premium")) as second,
        open_client([nodes[1].url], token=token_of("pia", tier="premium")) as pia,
    ):
        for client in (first, second, pia):
            await client.join(premium_id)
        free = await second.join(open_id)
        await bus.publish(of_tier("ada", "free").to_message())
        for client in (first, second):
            await client.until(partial(_is_told, client))
            _, told = next(one for one in client.told if one[0] == "room:refused")
            assert (told["stream_id"], told["code"]) == (premium_id, "room.premium")
        offset = await pia.send(premium_id, "are they gone?")
        await pia.until(lambda: pia.views[premium_id].offset >= offset)
        await pia.join(open_id)
        after = await pia.send(open_id, "a room for all")
        await second.until(lambda: free.offset >= after)
        assert first.views[premium_id].entries == second.views[premium_id].entries == []
        room = nodes[0].realtime.room(premium_id)
        assert room is None or room.members == 0
        with pytest.raises(Refused):
            await first.send(premium_id, "still here?")
        await bus.publish(of_tier("ada", "premium").to_message())
        await until(lambda: _tiers(nodes[0]) == {"premium"})
        await first.ask("room:join", {"stream_id": premium_id})


async def test_who_subscribes_to_the_channel_comes_in_as_long_as_that_lasts(
    nodes: list[TestNode], premium_id: str, bus: Bus
) -> None:
    async with open_client([nodes[1].url], token=token_of("ada")) as ada:
        for channels, code in (({}, "room.premium"), ({"creator-2": 3}, "room.premium")):
            await bus.publish(of_tier("ada", "free", channels).to_message())
            await until(partial(_has_channels, nodes[1], channels))
            with pytest.raises(Refused) as refused:
                await ada.join(premium_id)
            assert refused.value.code == code
        await bus.publish(of_tier("ada", "free", {"creator-1": 1}).to_message())
        await until(partial(_has_channels, nodes[1], {"creator-1": 1}))
        view = await ada.join(premium_id)
        await ada.send(premium_id, "at last")
        await ada.until(lambda: view.entries)
        assert view.entries[-1]["user"]["subscriber"] is True
        await bus.publish(of_tier("ada", "free").to_message())
        await ada.until(partial(_is_told, ada))


def _has_channels(node: TestNode, channels: dict[str, int]) -> bool:
    connections = node.realtime._connections  # there is no other way to see who a socket is now
    return all(who.identity.channels == channels for who in connections if who.identity is not None)


def _is_told(client: RoomClient) -> bool:
    return any(name == "room:refused" for name, _ in client.told)


def _tiers(node: TestNode) -> set[str]:
    connections = node.realtime._connections  # there is no other way to see who a socket is now
    return {who.identity.subscription_tier for who in connections if who.identity is not None}


async def test_news_of_a_premium_stream_leave_it_premium(
    nodes: list[TestNode], premium_id: str, bus: Bus, redis: Redis
) -> None:
    async with open_client([nodes[0].url], token=token_of("pia", tier="premium")) as pia:
        view = await pia.join(premium_id)
        event = StreamDescribed(
            stream_id=premium_id,
            creator_id="creator-1",
            creator_name="Cleo",
            title="Another title",
            category=None,
            status="live",
            visibility="premium",
            previous_title="Evening",
            previous_category="music",
            at=system_clock(),
        )
        await bus.publish(event.to_message())
        await pia.until(lambda: view.title == "Another title")
    assert await refusal(nodes[1], premium_id, token_of("ada")) == "room.premium"
