"""Telling a creator's open pages how far a video is: straight to the bus, kept nowhere, lost when the bus is away."""

import contextlib
from typing import Protocol

from infra.bus.port import Message
from infra.clock import Clock
from infra.errors import Unavailable
from infra.events import Event
from infra.logs import get_logger
from infra.stores.postgres import PostgresUnavailable
from media.catalog.model import Failure
from media.events import TranscodeRequested, VideoProgress
from media.vod.leases import Leases
from media.vod.task_repository import Lease
from media.vod.tasks import eta_seconds, share_done, stage_of

EVERY_SECONDS = 1.0

log = get_logger(__name__)


class Publishes(Protocol):
    """The part of the bus that is needed."""

    async def publish(self, message: Message) -> None: ...


class Reporter:
    """At most one word a second about a video, whichever of its workers says it; turns are told at once."""

    def __init__(self, bus: Publishes, leases: Leases, clock: Clock) -> None:
        self._bus = bus
        self._leases = leases
        self._clock = clock

    async def going_on(self, lease: Lease) -> None:
        """Raises `PostgresUnavailable`."""
        await self._tell(lease, EVERY_SECONDS)

    async def playable(self, lease: Lease) -> None:
        """It can be played, or in another quality too: somebody may wait before the page. A word lost is said again."""
        with contextlib.suppress(PostgresUnavailable):
            await self._tell(lease, 0.0)

    async def _tell(self, lease: Lease, every_seconds: float) -> None:
        progress = await self._leases.progress(lease.video_id, every_seconds)
        if progress is None:
            return
        done = share_done(progress.shares)
        await self._publish(
            VideoProgress(
                at=self._clock(), video_id=lease.video_id, creator_id=lease.creator_id, status="processing",
                stage=stage_of(progress.shares), done=round(done, 4),
                eta_seconds=eta_seconds(done, progress.spent_seconds), playable=progress.is_playable,
                attempt=lease.attempt,
            )
        )  # fmt: skip

    async def done(self, lease: Lease) -> None:
        """The video is ready."""
        await self._publish(
            VideoProgress(
                at=self._clock(), video_id=lease.video_id, creator_id=lease.creator_id, status="ready", stage="done",
                done=1.0, eta_seconds=0.0, playable=True, attempt=lease.attempt,
            )
        )  # fmt: skip

    async def failed(self, video_id: str, creator_id: str, failure: Failure) -> None:
        """The video was given up."""
        await self._publish(
            VideoProgress(
                at=self._clock(), video_id=video_id, creator_id=creator_id, status="failed", stage="failed", done=0.0,
                eta_seconds=None, playable=False, message=failure.message,
            )
        )  # fmt: skip

    async def more_work(self, video_id: str) -> None:
        """Other transcoders may take part."""
        await self._publish(TranscodeRequested(at=self._clock(), video_id=video_id))

    async def _publish(self, event: Event) -> None:
        try:
            await self._bus.publish(event.to_message())
        except Unavailable as away:
            log.info("progress.unheard", code=away.code)
