"""Sockets end with the sign-in they came from, on every node."""

import asyncio
from functools import partial

import pytest

from accounts.events import ProfileChanged, SessionsRevoked
from accounts.model import Tier
from infra.bus.port import Bus
from infra.clock import system_clock
from realtime.client import RoomClient, View, open_client
from realtime.connections import EVENT_BURST, Bucket, Connection, Connections, SessionOver
from realtime.disconnects import DISCONNECTS
from realtime.errors import EventsTooFast
from tests.realtime.nodes import DeafSocket, TestNode, identify, token_of, until


def last_word(client: RoomClient) -> str:
    return str(client.closings[-1]["code"]) if client.closings else ""


async def test_a_revoked_session_ends_its_sockets_on_both_nodes(nodes: list[TestNode], bus: Bus) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("ada", session="old")) as first,
        open_client([nodes[1].url], token=token_of("ada", session="old")) as second,
        open_client([nodes[1].url], token=token_of("ada", session="new")) as other,
        open_client([nodes[1].url], token=token_of("bob", session="old")) as bob,
    ):
        event = SessionsRevoked(user_id="ada", session_ids=["old"], reason="logout", at=system_clock())
        await bus.publish(event.to_message())
        await first.until(lambda: last_word(first))
        await second.until(lambda: last_word(second))
        await until(lambda: [node.realtime.connections for node in nodes] == [0, 2])
        assert last_word(first) == last_word(second) == "auth.session_over"
        assert first.closings[0]["reconnect"] is False
        everything = SessionsRevoked(user_id="ada", reason="password", at=system_clock())
        await bus.publish(everything.to_message())
        await other.until(lambda: last_word(other))
        assert bob.connected


async def test_a_socket_ends_with_its_token(node: TestNode) -> None:
    async with (
        open_client([node.url], token=token_of("ada")) as lasting,
        open_client([node.url], token=token_of("ada", seconds=0.5)) as ending,
    ):
        await ending.until(lambda: last_word(ending))
        assert last_word(ending) == "auth.token_expired"
        assert ending.closings[0]["reconnect"] is True
        assert lasting.connected


async def test_a_new_name_is_used_at_once(node: TestNode, bus: Bus, stream_id: str) -> None:
    async with open_client([node.url], token=token_of("ada")) as ada:
        view = await ada.join(stream_id)
        event = ProfileChanged(
            user_id="ada", display_name="Countess", role="admin", subscription_tier="free", at=system_clock()
        )
        await bus.publish(event.to_message())
        while not view.entries or view.entries[-1]["user"]["name"] != "Countess":
            await asyncio.sleep(0.1)
            offset = await ada.send(stream_id, "who am I")
            await ada.until(partial(_has, view, offset))
    assert view.entries[-1]["user"] == {"id": "ada", "name": "Countess", "role": "admin"}


def _has(view: View, offset: int) -> bool:
    return view.offset >= offset


async def test_a_session_revoked_while_it_connects_does_not_come_in() -> None:
    connections = Connections(system_clock)
    moment = connections.moment
    identity = await identify(token_of("ada", session="old"))
    connections.revoke("ada", ["old"])
    with pytest.raises(SessionOver):
        connections.add(Connection("1", DeafSocket(), identity, None), since=moment)
    connections.add(Connection("2", DeafSocket(), identity, None), since=connections.moment)
    assert len(connections) == 1


async def test_a_profile_that_changes_while_somebody_connects_is_theirs() -> None:
    connections = Connections(system_clock)
    moment = connections.moment
    ada = Connection("1", DeafSocket(), await identify(token_of("ada")), None)
    bob = Connection("2", DeafSocket(), await identify(token_of("bob")), None)
    changes: list[tuple[Tier, dict[str, int]]] = [("free", {}), ("premium", {"cleo": 2})]
    for tier, channels in changes:
        connections.rename(
            ProfileChanged(
                user_id="ada", display_name="Ada", role="free", subscription_tier=tier, channels=channels,
                at=system_clock(),
            )
        )  # fmt: skip
    connections.add(ada, since=moment)
    connections.add(bob, since=moment)
    late = Connection("3", DeafSocket(), await identify(token_of("ada")), None)
    connections.add(late, since=connections.moment)
    rights = [(one.identity.subscription_tier, one.identity.channels) for one in (ada, bob, late) if one.identity]
    assert rights == [("premium", {"cleo": 2}), ("free", {}), ("free", {})]


def test_a_bucket_admits_a_burst_and_then_ten_a_second() -> None:
    bucket = Bucket()
    for _ in range(int(EVENT_BURST)):
        bucket.take(0.0)
    with pytest.raises(EventsTooFast) as refused:
        bucket.take(0.0)
    assert refused.value.details == {"retry_after_ms": 101}
    bucket.take(0.101)
    with pytest.raises(EventsTooFast):
        bucket.take(0.101)


def test_every_disconnect_has_its_own_code() -> None:
    assert len({one.code for one in DISCONNECTS}) == len(DISCONNECTS) == 5
