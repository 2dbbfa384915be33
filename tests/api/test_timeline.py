"""How a stream went, over HTTP: for its creator, the channel's moderators and admins, and for nobody else."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.clock import new_id
from media.live.samples import Mark, Reading, slot_of
from media.live.timeline import Timeline
from tests.accounts.world import World
from tests.api.test_streams import STREAMS, Person, enrol, refused


@pytest.fixture
async def ada(client: httpx.AsyncClient, world: World) -> Person:
    return await enrol(client, world, "ada@example.com", "creator")


async def sampled(timeline: Timeline, stream_id: str, count: int) -> datetime:
    """So many readings, the last of this slot; when the first was."""
    last = slot_of(datetime.now(UTC))
    first = last - timedelta(seconds=10 * (count - 1))
    await timeline.keep([
        Reading(
            stream_id=stream_id, at=first + timedelta(seconds=10 * slot), status="live", viewers=slot, peak=slot,
            entries=3 * slot, actions=0, followers=1, bitrate_kbps=2500.0, fps=30.0,
        )
        for slot in range(count)
    ])  # fmt: skip
    return first


async def test_the_creator_sees_how_the_stream_goes(ada: Person, timeline: Timeline) -> None:
    stream_id = (await ada.start())["id"]
    assert (await ada.get(f"/{stream_id}/timeline")).json() == {"samples": [], "marks": [], "step_seconds": 10}
    first = await sampled(timeline, stream_id, 30)
    await timeline.mark(new_id(), stream_id, Mark(first, "went_live", "Went live"))
    window = {"from": (first - timedelta(seconds=5)).isoformat()}
    answer = await ada.client.get(f"{STREAMS}/{stream_id}/timeline", headers=ada.headers, params=window)
    told = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert len(told["samples"]) == 30
    assert set(told["samples"][1]) == {
        "at", "viewers", "peak", "messages", "actions", "followers", "bitrate_kbps", "fps", "status",
    }  # fmt: skip
    assert (told["samples"][0]["messages"], told["samples"][1]["messages"]) == (None, 3)
    assert [(mark["kind"], mark["text"]) for mark in told["marks"]] == [("went_live", "Went live")]
    few = await ada.client.get(f"{STREAMS}/{stream_id}/timeline", headers=ada.headers, params={**window, "points": 5})
    assert len(few.json()["samples"]) <= 5
    assert max(sample["viewers"] for sample in few.json()["samples"]) == 29
    assert sum(sample["followers"] for sample in few.json()["samples"]) == 30


async def test_moderators_and_admins_see_it_and_others_do_not(
    client: httpx.AsyncClient, world: World, ada: Person
) -> None:
    stream_id = (await ada.start())["id"]
    vera = await enrol(client, world, "vera@example.com", "free")
    root = await enrol(client, world, "root@example.com", "admin")
    refused(await client.get(f"{STREAMS}/{stream_id}/timeline"), 401, "auth.required")
    refused(await vera.get(f"/{stream_id}/timeline"), 403, "stream.not_yours")
    async with world.db.connection() as connection:
        await connection.execute("INSERT INTO channels (channel_id, updated_at) VALUES ($1, now())", ada.user_id)
        await connection.execute(
            "INSERT INTO channel_roles (channel_id, user_id, role, by_id, at) VALUES ($1, $2, 'vip', $1, now())",
            ada.user_id, vera.user_id,
        )  # fmt: skip
    refused(await vera.get(f"/{stream_id}/timeline"), 403, "stream.not_yours")
    async with world.db.connection() as connection:
        await connection.execute("UPDATE channel_roles SET role = 'moderator'")
    assert (await vera.get(f"/{stream_id}/timeline")).status_code == 200
    assert (await root.get(f"/{stream_id}/timeline")).status_code == 200
    refused(await root.get(f"/{new_id()}/timeline"), 404, "stream.not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("points=1", "points"),
        ("points=501", "points"),
        ("from=yesterday", "from"),
        ("from=0001-01-01T00:00:00%2B23:59", "from"),
        ("from=2030-05-01T12:00:00", "from"),
        ("to=2030-05-01T12:00:00", "to"),
        ("from=2030-05-01T12:00:00Z&to=2030-05-01T12:00:00Z", "from"),
    ],
)
async def test_a_window_that_makes_no_sense_is_refused_by_name(ada: Person, query: str, field: str) -> None:
    stream_id = (await ada.start())["id"]
    details = refused(await ada.get(f"/{stream_id}/timeline?{query}"), 400, "request.invalid")
    assert field in details["fields"]
