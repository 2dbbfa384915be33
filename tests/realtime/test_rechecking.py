"""A node that hears nothing from the bus still finds out who may no longer be in a premium room."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import msgspec
import pytest

from accounts.events import ProfileChanged
from accounts.model import Identity
from infra.bus.port import Bus
from infra.clock import new_id, system_clock
from infra.errors import Unavailable
from infra.settings import RedisSettings
from infra.stores.redis import Redis
from realtime.client import RoomClient, open_client
from realtime.ports import StreamSnapshot
from realtime.rechecking import Recheck
from tests.realtime.nodes import KnownStreams, TestNode, serving, snapshot, token_of, until

OFTEN_SECONDS = 0.1
PATIENT_SECONDS, IMPATIENT_SECONDS = 300.0, 0.5


class PremiumStreams(KnownStreams):
    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        return snapshot(stream_id, visibility="premium" if "premium" in stream_id else "public")


class Truth:
    """Who people are: what their token says, without the tier they lost, and nobody whose sign-in is over."""

    def __init__(self) -> None:
        self.free: set[str] = set()
        self.over: set[str] = set()
        self.asked: list[list[str]] = []
        self.is_away = False
        self.hurry = asyncio.Event()
        self.hurry.set()

    async def __call__(self, identities: Sequence[Identity]) -> list[Identity | None]:
        self.asked.append(sorted(identity.user_id for identity in identities))
        if self.is_away:
            raise Unavailable
        found = [self._present(identity) for identity in identities]
        await self.hurry.wait()
        return found

    def _present(self, identity: Identity) -> Identity | None:
        if identity.user_id in self.over:
            return None
        return (
            msgspec.structs.replace(identity, subscription_tier="free") if identity.user_id in self.free else identity
        )


@pytest.fixture
def truth() -> Truth:
    return Truth()


@pytest.fixture
def unsure_seconds() -> float:
    return PATIENT_SECONDS


@pytest.fixture
async def rechecking(
    redis: Redis, redis_settings: RedisSettings, bus: Bus, truth: Truth, unsure_seconds: float
) -> AsyncIterator[TestNode]:
    recheck = Recheck(truth, OFTEN_SECONDS, unsure_seconds)
    async with serving(redis, redis_settings, bus, streams=PremiumStreams(), recheck=recheck) as node:
        yield node


@pytest.fixture
def premium_id() -> str:
    return f"stream-premium-{new_id()}"


def refusals(client: RoomClient) -> list[tuple[str, str]]:
    return [(told["stream_id"], told["code"]) for name, told in client.told if name == "room:refused"]


async def test_who_lost_the_right_leaves_without_news_from_the_bus(
    rechecking: TestNode, truth: Truth, premium_id: str
) -> None:
    open_id = f"stream-{new_id()}"
    async with (
        open_client([rechecking.url], token=token_of("ada", tier="premium")) as ada,
        open_client([rechecking.url], token=token_of("pia", tier="premium")) as pia,
    ):
        for client in (ada, pia):
            await client.join(premium_id)
            await client.join(open_id)
        truth.free.add("ada")
        await ada.until(partial(refusals, ada))
        assert refusals(ada) == [(premium_id, "room.premium")]
        view = ada.views[open_id]
        offset = await pia.send(premium_id, "between us")
        await pia.until(lambda: pia.views[premium_id].offset >= offset)
        after = await pia.send(open_id, "for all")
        await ada.until(lambda: view.offset >= after)
        assert ada.views[premium_id].entries == []
        assert refusals(pia) == []


async def test_who_was_signed_out_is_dismissed(rechecking: TestNode, truth: Truth, premium_id: str) -> None:
    async with open_client([rechecking.url], token=token_of("ada", tier="premium")) as ada:
        await ada.join(premium_id)
        truth.over.add("ada")
        await until(lambda: rechecking.realtime.connections == 0)


async def test_nobody_is_asked_about_rooms_for_all_and_all_others_at_once(
    rechecking: TestNode, truth: Truth, premium_id: str
) -> None:
    async with (
        open_client([rechecking.url], token=token_of("ada", tier="premium")) as ada,
        open_client([rechecking.url], token=token_of("pia", tier="premium")) as pia,
        open_client([rechecking.url], token=token_of("ken")) as ken,
    ):
        await ken.join(f"stream-{new_id()}")
        await ada.join(premium_id)
        await pia.join(f"stream-premium-{new_id()}")
        await until(lambda: ["ada", "pia"] in truth.asked)
        assert all("ken" not in some for some in truth.asked)


async def test_while_nobody_can_say_members_stay(rechecking: TestNode, truth: Truth, premium_id: str) -> None:
    async with open_client([rechecking.url], token=token_of("ada", tier="premium")) as ada:
        await ada.join(premium_id)
        truth.is_away = True
        asked = len(truth.asked)
        await until(lambda: len(truth.asked) >= asked + 3)
        await ada.send(premium_id, "still here")
        assert refusals(ada) == []


@pytest.mark.parametrize("unsure_seconds", [IMPATIENT_SECONDS])
async def test_but_not_for_ever_unless_the_room_is_theirs(rechecking: TestNode, truth: Truth, premium_id: str) -> None:
    truth.is_away = True
    async with (
        open_client([rechecking.url], token=token_of("ada", tier="premium")) as ada,
        open_client([rechecking.url], token=token_of("creator-1", role="creator")) as creator,
    ):
        await creator.join(premium_id)
        await ada.join(premium_id)
        await ada.until(partial(refusals, ada))
        assert refusals(ada) == [(premium_id, "service.unavailable")]
        await creator.send(premium_id, "I stay")
        assert refusals(creator) == []


async def test_news_that_come_while_we_ask_are_newer(
    rechecking: TestNode, truth: Truth, premium_id: str, bus: Bus
) -> None:
    async with open_client([rechecking.url], token=token_of("ada", tier="premium")) as ada:
        await ada.join(premium_id)
        truth.free.add("ada")
        truth.hurry.clear()
        asked = len(truth.asked)
        await until(lambda: len(truth.asked) > asked)
        asked = len(truth.asked)
        renewed = ProfileChanged(
            user_id="ada", display_name="Ada L.", role="free", subscription_tier="premium", at=system_clock()
        )
        await bus.publish(renewed.to_message())
        (who,) = list(rechecking.realtime._connections)  # there is no other way to see who a socket is now
        await until(lambda: who.identity is not None and who.identity.display_name == "Ada L.")
        truth.free.clear()
        truth.hurry.set()
        await until(lambda: len(truth.asked) > asked)
        await ada.send(premium_id, "I paid")
        assert refusals(ada) == []
