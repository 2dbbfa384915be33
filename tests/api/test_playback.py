"""Playing videos over HTTP: who is given cookies, what they carry, and what the player's beat leads to."""

from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlsplit

import httpx
import pytest

from accounts.model import Role
from media.catalog.library import Library
from media.catalog.model import Metadata, Rendition, Video, Visibility
from media.delivery.policies import NAMES, verified
from tests.accounts.world import World
from tests.api.test_videos import EDGE, Person, ben, code, mara, put_video
from tests.media.delivery.passes import EDGE_URL, KEY_ID, key

__all__ = ["ben", "mara"]

DEVICE = "0123456789abcdef"
BEAT = {"position_seconds": 61.5, "playing": True, "device": DEVICE}
API = "/api/v1"


def cookies_in(answer: httpx.Response) -> dict[str, "Morsel[str]"]:
    found: dict[str, Morsel[str]] = {}
    for header in answer.headers.get_list("set-cookie"):
        found |= SimpleCookie(header)
    return found


def opens(answer: httpx.Response, video: Video) -> bool:
    """Whether the answer's cookies open exactly this video."""
    cookies = {name: cookie.value for name, cookie in cookies_in(answer).items()}
    granted = verified(cookies, {KEY_ID: key().public_key()})
    return granted is not None and granted.prefix == f"{EDGE_URL}/vod/{video.id}/"


async def subscribe(world: World, person: Person, role: Role = "premium") -> None:
    await world.accounts.grant(f"{person.name.lower()}@example.com", role)


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_what_is_open_is_played_by_anybody(
    client: httpx.AsyncClient, library: Library, mara: Person, visibility: Visibility
) -> None:
    video = await put_video(library, mara, visibility=visibility)
    answer = await client.get(f"{API}/videos/{video.id}/playback")
    assert (answer.status_code, opens(answer, video)) == (200, True)
    body = answer.json()
    assert body["manifest_url"] == f"{EDGE}/vod/{video.id}/abcdefghijkl/index.m3u8"
    assert (body["status"], body["duration_seconds"], body["renew_seconds"]) == ("ready", 100, 20)
    assert (body["resume_seconds"], body["storyboard_url"], body["captions"]) == (None, None, [])
    assert answer.headers["cache-control"] == "no-store"


async def test_cookies_are_for_the_one_path_and_no_script(
    client: httpx.AsyncClient, library: Library, mara: Person
) -> None:
    video = await put_video(library, mara)
    for answer in (
        await client.get(f"{API}/videos/{video.id}/playback"),
        await client.post(f"{API}/videos/{video.id}/watch", json=BEAT),
    ):
        cookies = cookies_in(answer)
        assert set(cookies) == set(NAMES)
        for cookie in cookies.values():
            assert cookie["path"] == f"{urlsplit(EDGE_URL).path}/vod/{video.id}/"
            assert (cookie["max-age"], cookie["samesite"], cookie["domain"]) == ("60", "lax", "")
            assert cookie["secure"] is cookie["httponly"] is True


async def test_premium_is_refused_granted_and_ends_with_the_subscription(
    world: World, client: httpx.AsyncClient, library: Library, mara: Person, ben: Person
) -> None:
    video = await put_video(library, mara, visibility="premium")
    path, watch = f"/videos/{video.id}/playback", f"/videos/{video.id}/watch"
    refused = await client.get(API + path)
    assert (code(refused), cookies_in(refused)) == ((401, "auth.required"), {})
    assert code(await client.post(API + watch, json=BEAT)) == (401, "auth.required")
    for answer in (await ben.call("GET", path), await ben.call("POST", watch, json=BEAT)):
        assert (code(answer), cookies_in(answer)) == ((403, "playback.premium"), {})
    await subscribe(world, ben)
    assert opens(await ben.call("GET", path), video)
    assert opens(await ben.call("POST", watch, json=BEAT), video)
    await subscribe(world, ben, "free")
    ended = await ben.call("POST", watch, json=BEAT)
    assert (code(ended), cookies_in(ended)) == ((403, "playback.premium"), {})
    assert opens(await mara.call("GET", path), video)


async def test_private_is_the_owners_alone(
    world: World, client: httpx.AsyncClient, library: Library, mara: Person, ben: Person
) -> None:
    video = await put_video(library, mara, visibility="private")
    await subscribe(world, ben)
    for call in ("playback", "watch"):
        method, body = ("GET", None) if call == "playback" else ("POST", BEAT)
        assert code(await ben.call(method, f"/videos/{video.id}/{call}", json=body)) == (404, "video.not_found")
        assert opens(await mara.call(method, f"/videos/{video.id}/{call}", json=body), video)
    assert code(await client.get(f"{API}/videos/{video.id}/playback")) == (404, "video.not_found")


async def test_a_video_plays_while_it_is_made_and_not_before(
    client: httpx.AsyncClient, library: Library, mara: Person
) -> None:
    ready = await put_video(library, mara)
    made = Video(
        id=ready.id[:-4] + "abcd", creator_id=mara.id, creator_name="Mara", title="New",
        created_at=ready.created_at, updated_at=ready.updated_at,
    )  # fmt: skip
    video = await library.catalogue.create(made)
    path = f"/videos/{video.id}/playback"
    assert code(await client.get(API + path)) == (404, "video.not_found")
    assert code(await mara.call("GET", path)) == (404, "playback.not_ready")
    await library.catalogue.stored(video.id, f"uploads/{video.id}/secret/source", 1000)
    lowest = Rendition("240p", f"/vod/{video.id}/abcdefghijkl/240p.m3u8", 426, 240, 300_000)
    await library.catalogue.playable(video.id, "abcdefghijkl", [lowest], Metadata(duration=100))
    answer = await client.get(API + path)
    assert (answer.status_code, answer.json()["status"], opens(answer, video)) == (200, "processing", True)


async def test_what_is_deleted_is_no_longer_opened(client: httpx.AsyncClient, library: Library, mara: Person) -> None:
    video = await put_video(library, mara)
    assert (await mara.call("DELETE", f"/videos/{video.id}")).status_code == 204
    for person in (mara, None):
        get = (
            mara.call("GET", f"/videos/{video.id}/playback")
            if person
            else client.get(f"{API}/videos/{video.id}/playback")
        )
        assert code(await get) == (404, "video.not_found")
    assert code(await mara.call("POST", f"/videos/{video.id}/watch", json=BEAT)) == (404, "video.not_found")


async def test_beats_make_a_view_and_a_place_to_go_on_from(library: Library, mara: Person, ben: Person) -> None:
    video = await put_video(library, mara)
    beat = await ben.call("POST", f"/videos/{video.id}/watch", json=BEAT | {"playing": False, "position_seconds": 42.5})
    assert (beat.status_code, beat.json()["counted"], beat.json()["renew_seconds"]) == (200, False, 20)
    assert (await ben.call("GET", f"/videos/{video.id}/playback")).json()["resume_seconds"] == 42.5
    assert (await mara.call("GET", f"/videos/{video.id}/playback")).json()["resume_seconds"] in (None, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"device": "short"}, {"device": "has spaces in it"}, {"device": "x" * 65}, {"position_seconds": -1},
        {"position_seconds": 1e9}, {"position_seconds": None}, {"playing": "yes"}, {"more": 1},
    ],
)  # fmt: skip
async def test_a_beat_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, library: Library, mara: Person, wrong: dict[str, object]
) -> None:
    video = await put_video(library, mara)
    answer = await client.post(f"{API}/videos/{video.id}/watch", json=BEAT | wrong)
    assert (code(answer), cookies_in(answer)) == ((400, "request.invalid"), {})
