"""How the making of one's own videos goes, for the pages that want to know.

Every node hears all of it from the bus and passes on what concerns a user whose page it has. Kept nowhere: what a page
missed is told again by the next message, a second later, or stands in the catalogue.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from infra.bus.port import Bus, Message, Subscription
from infra.errors import Unauthenticated
from media.events import VideoProgress
from realtime.bodies import Answer
from realtime.connections import Connection, Connections
from realtime.events import StudioVideo, UnwatchStudio, WatchStudio
from realtime.wire.frames import event_frame

EVERY_SECONDS = 1.0
REMEMBERED = 10_000  # videos in work whose last word is remembered
FINAL = frozenset({"ready", "failed"})


@dataclass(slots=True)
class Told:
    """What was told of a video last, and what waits to be."""

    at: float
    waiting: VideoProgress | None = None


class Studio:
    """Of one node."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._told: OrderedDict[str, Told] = OrderedDict()

    async def watch(self, who: Connection, _: WatchStudio) -> Answer:
        """Hear of one's own videos from now on. Raises `Unauthenticated`."""
        if who.identity is None:
            raise Unauthenticated
        who.watches_studio = True
        return Answer()

    async def unwatch(self, who: Connection, _: UnwatchStudio) -> Answer:
        """Fine for who does not watch."""
        who.watches_studio = False
        return Answer()

    def heard(self, progress: VideoProgress) -> None:
        """Pass it on, now or within a second; of several that wait for one video the last is told."""
        if not any(one.watches_studio for one in self._connections.of_user(progress.creator_id)):
            return
        loop = asyncio.get_running_loop()
        told = self._told.get(progress.video_id)
        if told is None or loop.time() - told.at >= EVERY_SECONDS:
            self._tell(progress, loop.time())
        elif told.waiting is not None:
            told.waiting = progress
        else:
            told.waiting = progress
            loop.call_at(told.at + EVERY_SECONDS, self._tell_waiting, progress.video_id)

    def _tell_waiting(self, video_id: str) -> None:
        told = self._told.get(video_id)
        if told is not None and told.waiting is not None:
            self._tell(told.waiting, asyncio.get_running_loop().time())

    def _tell(self, progress: VideoProgress, now: float) -> None:
        self._told[progress.video_id] = Told(now)
        self._told.move_to_end(progress.video_id)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        packet = event_frame("studio:video", shown(progress))
        for connection in self._connections.of_user(progress.creator_id):
            if connection.watches_studio:
                connection.socket.offer(packet, droppable=progress.status not in FINAL)


def shown(progress: VideoProgress) -> StudioVideo:
    return StudioVideo(
        video_id=progress.video_id,
        status=progress.status,
        stage=progress.stage,
        done=progress.done,
        eta_seconds=progress.eta_seconds,
        playable=progress.playable,
        attempt=progress.attempt,
        message=progress.message,
    )


async def follow_progress(bus: Bus, studio: Studio) -> Subscription:
    """Listen until the subscription is closed."""

    async def heard(message: Message) -> None:
        studio.heard(VideoProgress.from_message(message))

    return await bus.listen([VideoProgress.topic], heard)
