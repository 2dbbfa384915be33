"""Who is here: one list over all nodes, in order, in pages."""

import asyncio

import pytest

from infra.bus.port import Bus
from infra.errors import Invalid
from infra.settings import RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.client import Refused, open_client
from realtime.events import RoomRole, User
from realtime.room.people import People, line_of
from realtime.room.presence import Presence, presence_functions
from tests.realtime.moderated import moderated
from tests.realtime.nodes import QUICK, TestNode, token_of


def put(presence: Presence, user_id: str, name: str, role: RoomRole = "viewer") -> None:
    presence.enter("room", f"user:{user_id}", line_of(User(id=user_id, name=name, role=role)))


async def test_the_broadcaster_is_first_then_admins_then_all_others_by_name(
    nodes: list[TestNode], stream_id: str
) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("zoe")) as zoe,
        open_client([nodes[1].url], token=token_of("ada")) as ada,
        open_client([nodes[0].url], token=token_of("ada")) as again,
        open_client([nodes[1].url], token=token_of("root", role="admin")) as admin,
        open_client([nodes[0].url], token=token_of("creator-1", role="creator")) as cleo,
        open_client([nodes[1].url]) as nobody,
    ):
        view = await zoe.join(stream_id)
        for client in (ada, again, admin, cleo, nobody):
            await client.join(stream_id)
        await zoe.until(lambda: view.viewers == 5)
        here = await nobody.ask("room:chatters", {"stream_id": stream_id})
    assert [(user["id"], user["role"]) for user in here["users"]] == [
        ("creator-1", "creator"),
        ("root", "admin"),
        ("ada", "viewer"),
        ("zoe", "viewer"),
    ]
    assert (here["total"], here["anonymous"], here["next"]) == (4, 1, None)


async def test_an_appointment_moves_somebody_up_the_list(
    db: Postgres, redis: Redis, redis_settings: RedisSettings, bus: Bus
) -> None:
    async with moderated(db, redis, redis_settings, bus) as channel:
        ada = await channel.stage.person("Ada")
        async with channel.client(channel.cleo) as cleo, channel.client(ada, 1):
            await channel.act(cleo, "mod:moderator", user_id=ada.id)
            roles: list[str] = []
            async with asyncio.timeout(15):
                while roles != ["creator", "moderator"]:
                    here = await channel.act(cleo, "room:chatters")
                    roles = [user["role"] for user in here["users"]]
                    await asyncio.sleep(0.2)


async def test_only_who_is_in_the_room_may_ask(node: TestNode, stream_id: str) -> None:
    async with open_client([node.url]) as guest:
        with pytest.raises(Refused) as refused:
            await guest.ask("room:chatters", {"stream_id": stream_id})
        assert refused.value.code == "room.not_joined"
        await guest.join(stream_id)
        with pytest.raises(Refused) as refused:
            await guest.ask("room:chatters", {"stream_id": stream_id, "after": "A"})
        assert refused.value.code == "request.invalid"


async def test_pages_follow_each_other_though_people_come_and_go(redis: Redis) -> None:
    presence, people = Presence(presence_functions(redis), QUICK), People(presence_functions(redis), 0.0)
    names = [f"Név {number:03}" for number in range(250)]
    for number, name in enumerate(names):
        put(presence, f"u{number}", name)
    presence.enter("room", "device:12345678")
    await presence.tick()
    first = await people.page("room", None)
    presence.leave("room", "user:u3")
    put(presence, "early", "AAA")
    await asyncio.sleep(QUICK.linger_seconds)
    await presence.tick()
    second = await people.page("room", first.next)
    third = await people.page("room", second.next)
    seen = b"".join([*first.users, *second.users, *third.users]).decode()
    assert [len(page.users) for page in (first, second, third)] == [100, 100, 50]
    assert all(seen.count(name) == 1 for name in names)
    assert (third.total, third.anonymous, third.next) == (250, 1, None)


async def test_people_leave_the_list_with_their_node(redis: Redis) -> None:
    dead, alive = Presence(presence_functions(redis), QUICK), Presence(presence_functions(redis), QUICK)
    people = People(presence_functions(redis), 0.0)
    put(dead, "ada", "Ada")
    put(dead, "bob", "Bob")
    put(alive, "bob", "Bob")
    await asyncio.gather(dead.tick(), alive.tick())
    assert (await people.page("room", None)).total == 2
    while (page := await people.page("room", None)).total != 1:
        await asyncio.sleep(0.05)
        await alive.tick()
    assert b'"bob"' in page.users[0]


async def test_asking_often_asks_redis_once(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    functions, asked = presence_functions(redis), 0
    call = functions.call

    async def counted(*question: object) -> object:
        nonlocal asked
        asked += 1
        return await call(*question)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(functions, "call", counted)
    people = People(functions)
    pages = await asyncio.gather(*(people.page("room", None) for _ in range(50)))
    assert (asked, len(set(map(id, pages)))) == (1, 1)


async def test_a_place_that_no_page_named_is_refused(redis: Redis) -> None:
    with pytest.raises(Invalid):
        await People(presence_functions(redis)).page("room", "A")
