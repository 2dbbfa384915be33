"""The emotes of a channel: who may change them, what is taken, what is served; on the real file storage."""

from typing import Any

import httpx
import pytest

from infra.stores.objects import NoSuchObject, Objects
from realtime.channel_emotes import MOST
from realtime.emote_pictures import LARGEST_BYTES
from tests.accounts.world import World
from tests.realtime.pictures import claiming, drawn


class Channel:
    """A creator, and what they and others send to their channel."""

    def __init__(self, client: httpx.AsyncClient, user_id: str, token: str) -> None:
        self.id = user_id
        self.token = token
        self._client = client
        self.path = f"/api/v1/channels/{user_id}/emotes"

    async def put(
        self, code: str = "bolt", picture: bytes | None = None, token: str | None = None, **fields: Any
    ) -> httpx.Response:
        file = ("picture.png", drawn("PNG") if picture is None else picture, "image/png")
        return await self._client.post(
            self.path, data={"code": code, **fields}, files={"file": file}, headers=bearer(token or self.token)
        )

    async def remove(self, code: str, token: str | None = None) -> httpx.Response:
        return await self._client.delete(f"{self.path}/{code}", headers=bearer(token or self.token))

    async def codes(self) -> list[str]:
        answer = await self._client.get(self.path)
        assert answer.status_code == 200
        return [emote["code"] for emote in answer.json()["emotes"]]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def refused(answer: httpx.Response) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"].get("reason")


@pytest.fixture
async def cleo(world: World, client: httpx.AsyncClient) -> Channel:
    signed = await world.person("cleo@example.com", "Cleo")
    return Channel(client, signed.user.id, signed.access_token)


async def stored(objects: Objects, channel: Channel) -> list[str]:
    found = await objects.call("list_objects_v2", Prefix=f"emotes/{channel.id}/")
    return [one["Key"] for one in found.get("Contents", [])]


@pytest.mark.parametrize(("kind", "frames"), [("PNG", 1), ("GIF", 4), ("WEBP", 4)])
async def test_an_emote_is_listed_for_everybody_and_its_picture_served(
    cleo: Channel, client: httpx.AsyncClient, kind: str, frames: int
) -> None:
    answer = await cleo.put("bolt", drawn(kind, (64, 56), frames))
    assert answer.status_code == 201
    emote = answer.json()
    assert (emote["code"], emote["content_type"], emote["width"], emote["height"]) == (
        "bolt", f"image/{kind.lower()}", 64, 56,
    )  # fmt: skip
    assert (await client.get(cleo.path)).json() == {"emotes": [emote]}
    picture = await client.get(emote["url"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, emote["content_type"])
    assert len(picture.content) == emote["bytes"]
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "immutable" in picture.headers["cache-control"]
    assert "immutable" not in (await client.get(emote["url"].partition("?")[0])).headers["cache-control"]


async def test_another_picture_has_another_address_and_the_old_file_is_gone(
    cleo: Channel, client: httpx.AsyncClient, objects: Objects
) -> None:
    first = (await cleo.put("bolt", drawn("PNG", (28, 28)))).json()
    (old,) = await stored(objects, cleo)
    second = (await cleo.put("bolt", drawn("PNG", (56, 56)))).json()
    assert first["url"] != second["url"]
    assert await cleo.codes() == ["bolt"]
    (new,) = await stored(objects, cleo)
    assert new != old
    with pytest.raises(NoSuchObject):
        await objects.read(old)
    assert "immutable" not in (await client.get(first["url"])).headers["cache-control"]


async def test_a_removed_emote_is_gone_with_its_file(
    cleo: Channel, client: httpx.AsyncClient, objects: Objects
) -> None:
    emote = (await cleo.put("bolt")).json()
    assert (await cleo.remove("bolt")).status_code == 204
    assert await cleo.codes() == []
    assert await stored(objects, cleo) == []
    assert refused(await client.get(emote["url"]))[:2] == (404, "emote.not_found")
    assert refused(await cleo.remove("bolt"))[:2] == (404, "emote.not_found")


async def test_only_the_broadcaster_and_admins_may_change_them(cleo: Channel, world: World, objects: Objects) -> None:
    ada = await world.person()
    for answer in (await cleo.put(token=ada.access_token), await cleo.remove("bolt", token=ada.access_token)):
        assert refused(answer)[:2] == (403, "mod.not_allowed")
        assert answer.json()["error"]["details"] == {"capability": "own"}
    assert await stored(objects, cleo) == []
    await world.accounts.grant("ada@example.com", "admin")
    assert (await cleo.put(token=ada.access_token)).status_code == 201
    assert (await cleo.remove("bolt", token=ada.access_token)).status_code == 204


async def test_nobody_signed_in_may_change_nothing(cleo: Channel, client: httpx.AsyncClient) -> None:
    assert (await client.post(cleo.path, data={"code": "bolt"}, files={"file": drawn("PNG")})).status_code == 401
    assert (await client.delete(f"{cleo.path}/bolt")).status_code == 401


@pytest.mark.parametrize("code", ["", "a", "a" * 25, "Bolt", "a-b", "a b", "../../x", "é" * 3, "bolt\n", "smile"])
async def test_a_code_is_short_plain_and_not_built_in(cleo: Channel, code: str) -> None:
    assert refused(await cleo.put(code)) == (400, "emote.invalid", "code")


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b"", "type"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "type"),
        (drawn("PNG")[:-40], "broken"),
        (claiming(20_000, 20_000), "broken"),
        (drawn("PNG", (20, 20)), "dimensions"),
        (drawn("PNG", (100, 28)), "dimensions"),
        (drawn("GIF", (28, 28), 100), "frames"),
        (drawn("PNG") + bytes(LARGEST_BYTES), "size"),
    ],
)
async def test_a_picture_that_is_none_leaves_nothing_behind(
    cleo: Channel, objects: Objects, picture: bytes, reason: str
) -> None:
    assert refused(await cleo.put("bolt", picture)) == (400, "emote.invalid", reason)
    assert await cleo.codes() == []
    assert await stored(objects, cleo) == []


async def test_a_form_far_too_large_is_not_read(cleo: Channel) -> None:
    assert refused(await cleo.put("bolt", bytes(LARGEST_BYTES + 10_000)))[0] == 413


async def test_what_is_no_form_is_refused(cleo: Channel, client: httpx.AsyncClient) -> None:
    headers = bearer(cleo.token)
    assert refused(await client.post(cleo.path, json={"code": "bolt"}, headers=headers))[0] == 415
    for form in ({"files": {"file": drawn("PNG")}}, {"files": {"code": (None, "bolt")}}):
        answer = await client.post(cleo.path, headers=headers, **form)
        assert refused(answer)[:2] == (400, "request.invalid")


async def test_there_is_a_most_and_a_new_picture_for_an_old_one_is_still_taken(
    cleo: Channel, world: World, objects: Objects
) -> None:
    async with world.db.connection() as connection:
        await connection.execute(
            "INSERT INTO channel_emotes SELECT $1, 'emote' || n, 'emotes/none/' || n, 'image/png', 28, 28, 1, "
            "repeat('0', 64), $1, now() FROM generate_series(1, $2::int) n",
            cleo.id, MOST,
        )  # fmt: skip
    answer = await cleo.put("bolt")
    assert refused(answer)[:2] == (409, "mod.too_many")
    assert answer.json()["error"]["details"] == {"max": MOST}
    assert await stored(objects, cleo) == []
    assert (await cleo.put("emote1")).status_code == 201
    assert len(await cleo.codes()) == MOST


@pytest.mark.parametrize("channel_id", ["nonsense", "0198c5a0-11aa-7f00-8b1c-3c5d7e9f0a1b"])
async def test_a_channel_that_does_not_exist_has_none(
    cleo: Channel, world: World, client: httpx.AsyncClient, objects: Objects, channel_id: str
) -> None:
    nowhere = Channel(client, channel_id, cleo.token)
    assert await nowhere.codes() == []
    assert (await client.get(f"{nowhere.path}/bolt/image")).status_code == 404
    await world.accounts.grant("cleo@example.com", "admin")
    assert refused(await nowhere.put())[:2] == (404, "channel.not_found")
    assert (await nowhere.remove("bolt")).status_code == 404
    assert await stored(objects, nowhere) == []
