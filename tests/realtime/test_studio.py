"""Creators see on their open pages how their videos come along, and nobody else does."""

from typing import Any

import msgspec
import pytest

from infra.bus.port import Bus
from infra.clock import new_id, system_clock
from media.events import VideoProgress
from realtime.client import Refused, RoomClient, open_client
from tests.realtime.nodes import TestNode, token_of

VIDEO = new_id()


def progress(done: float, **changes: Any) -> VideoProgress:
    word = VideoProgress(
        at=system_clock(), video_id=VIDEO, creator_id="ada", status="processing", stage="encoding", done=done,
        eta_seconds=10.0, playable=False,
    )  # fmt: skip
    return msgspec.structs.replace(word, **changes)


def heard(client: RoomClient) -> list[float]:
    return [body["done"] for name, body in client.told if name == "studio:video"]


async def test_progress_reaches_the_pages_of_its_creator_on_every_node(nodes: list[TestNode], bus: Bus) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("ada")) as here,
        open_client([nodes[1].url], token=token_of("ada")) as there,
        open_client([nodes[0].url], token=token_of("bob")) as stranger,
        open_client([nodes[0].url], token=token_of("ada")) as elsewhere,
    ):
        for client in (here, there, stranger):
            assert await client.ask("studio:watch", {}) == {"ok": True}
        await bus.publish(progress(0.1).to_message())
        await here.until(lambda: heard(here) == [0.1])
        await there.until(lambda: heard(there) == [0.1])
        await here.ask("studio:unwatch", {})
        await bus.publish(progress(1.0, status="ready", stage="done", video_id=new_id()).to_message())
        await there.until(lambda: heard(there) == [0.1, 1.0])
        for client in (here, stranger, elsewhere):
            await client.ask("studio:unwatch", {})  # whatever was sent before this answer has arrived
        assert heard(here) == [0.1]
        assert heard(stranger) == heard(elsewhere) == []


async def test_of_many_words_about_a_video_the_first_and_the_last_are_told(nodes: list[TestNode], bus: Bus) -> None:
    async with open_client([nodes[0].url], token=token_of("ada")) as ada:
        await ada.ask("studio:watch", {})
        for step in range(1, 8):
            await bus.publish(progress(step / 10).to_message())
        await ada.until(lambda: heard(ada)[-1:] == [0.7])
        assert heard(ada) == [0.1, 0.7]


async def test_who_is_not_signed_in_has_no_studio(nodes: list[TestNode]) -> None:
    async with open_client([nodes[0].url]) as guest:
        with pytest.raises(Refused) as refused:
            await guest.ask("studio:watch", {})
    assert refused.value.code == "auth.required"
