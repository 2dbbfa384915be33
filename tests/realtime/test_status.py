"""What happens to a stream is seen in its room, in order and once."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from infra.bus.port import Bus, Message
from infra.clock import system_clock
from media.events import StreamChanged, StreamDescribed, StreamEnded, StreamInterrupted, StreamWentLive
from realtime.client import Refused, open_client
from tests.realtime.nodes import TestNode, token_of


def happened(kind: type[StreamChanged], stream_id: str, status: str, later: float, **more: Any) -> StreamChanged:
    return kind(
        stream_id=stream_id,
        creator_id="creator-1",
        creator_name="Cleo",
        title="Morning",
        category=None,
        status=status,  # type: ignore[arg-type]  # one of the four
        at=system_clock() + timedelta(seconds=later),
        **more,
    )


async def test_status_reaches_rooms_on_both_nodes_and_never_goes_back(
    nodes: list[TestNode], bus: Bus, stream_id: str
) -> None:
    async with (
        open_client([nodes[0].url], token=token_of("ada")) as ada,
        open_client([nodes[1].url]) as guest,
    ):
        hers, theirs = await ada.join(stream_id), await guest.join(stream_id)
        await bus.publish(happened(StreamInterrupted, stream_id, "interrupted", 10).to_message())
        await ada.until(lambda: hers.status == "interrupted")
        await guest.until(lambda: theirs.status == "interrupted")
        # Late: this happened before the interruption.
        await bus.publish(happened(StreamWentLive, stream_id, "live", 5).to_message())
        ended = happened(StreamEnded, stream_id, "ended", 20, reason="stopped").to_message()
        await bus.publish(ended)
        await bus.publish(ended)
        await ada.until(lambda: hers.status == "ended")
        await bus.publish(happened(StreamWentLive, stream_id, "live", 30).to_message())
        with pytest.raises(Refused) as refused:
            await ada.send(stream_id, "too late")
        await guest.until(lambda: theirs.status == "ended")
        again = await ada.ask("room:join", {"stream_id": stream_id})
    assert refused.value.code == "room.ended"
    assert again["stream"]["status"] == "ended"
    assert again["stream"]["title"] == "Morning"
    assert again["me"]["may_chat"] is False


async def test_what_was_said_before_the_end_is_read_before_the_end(node: TestNode, bus: Bus, stream_id: str) -> None:
    async with open_client([node.url], token=token_of("ada")) as ada:
        view = await ada.join(stream_id)
        for number in range(5):
            await ada.send(stream_id, str(number))
        await bus.publish(happened(StreamEnded, stream_id, "ended", 1, reason="stopped").to_message())
        await ada.until(lambda: view.status == "ended")
        assert view.offset == 5


async def test_another_title_is_seen_at_once_and_an_older_one_never_comes_back(
    nodes: list[TestNode], bus: Bus, stream_id: str
) -> None:
    def described(title: str, later: float) -> Message:
        was = {"previous_title": "Morning", "previous_category": None}
        event = happened(StreamDescribed, stream_id, "live", later, **was)
        return msgspec.structs.replace(event, title=title).to_message()

    async with open_client([nodes[0].url]) as guest, open_client([nodes[1].url]) as other:
        first, second = await guest.join(stream_id), await other.join(stream_id)
        await bus.publish(described("Noon", 10))
        await guest.until(lambda: first.title == "Noon")
        await other.until(lambda: second.title == "Noon")
        await bus.publish(described("Dawn", 5))  # late
        await bus.publish(happened(StreamInterrupted, stream_id, "interrupted", 6).to_message())  # late too
        await bus.publish(described("Dusk", 20))
        await guest.until(lambda: first.title == "Dusk")
        await other.until(lambda: second.title == "Dusk")
        assert (first.status, second.status) == ("live", "live")


async def test_a_stream_that_was_created_a_moment_ago_has_a_room(node: TestNode, bus: Bus) -> None:
    async with open_client([node.url]) as guest:
        with pytest.raises(Refused):  # and this is remembered for a while
            await guest.ask("room:join", {"stream_id": "new-stream"})
        await bus.publish(happened(StreamWentLive, "new-stream", "live", 0).to_message())
        answer = None
        while answer is None:
            await asyncio.sleep(0.1)
            with contextlib.suppress(Refused):
                answer = await guest.ask("room:join", {"stream_id": "new-stream"})
    assert answer["stream"]["title"] == "Morning"
