"""What was made goes to where viewers find it: segments first, then the playlists that name them, then the document.

Playlists are written anew from what is finished, up to the first segment that is missing, by one worker at a time; so
several may share a video, and each step may be repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol

from infra.errors import Unavailable
from infra.logs import get_logger
from infra.retry import retrying
from infra.stores.objects import Objects
from media.catalog.errors import VideoNotFound
from media.catalog.model import Failure, Metadata, Rendition
from media.vod.errors import LeaseLost, TranscodeIncomplete
from media.vod.leases import Alone, Leases
from media.vod.plan import AUDIO, Plan, Segment
from media.vod.playlists import master_playlist, media_playlist
from media.vod.scratch import full_disk_is_our_fault
from media.vod.task_repository import Lease
from media.vod.transcodes import build_folder, poster_key

MASTER = "index.m3u8"
STORYBOARD = "storyboard.vtt"
INIT = "init.mp4"
TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
}
FOR_GOOD = "public, max-age=31536000, immutable"
GROWING = "public, max-age=1"
ENDED = "public, max-age=3600"
AT_ONCE = 8  # segments read into memory and sent at the same time, as many as the object store has threads
# So long does a store that is away hold up a task; then others may try it later. The lease is renewed meanwhile.
PATIENCE_SECONDS = 90.0

P = ParamSpec("P")
log = get_logger(__name__)


class Catalogue(Protocol):
    """The part of the catalogue that hears of it. Raises `VideoNotFound` for a video that is being deleted."""

    async def playable(
        self, video_id: str, build: str, playback_urls: Sequence[Rendition], metadata: Metadata
    ) -> object: ...

    async def finished(
        self, video_id: str, build: str, playback_urls: Sequence[Rendition], metadata: Metadata
    ) -> object: ...

    async def failed(self, video_id: str, failure: Failure) -> object: ...

    async def processing(self, video_id: str) -> object: ...


async def _nobody_waits(_: Lease) -> None:
    return


class Publisher:
    """Raises `Unavailable` of the store that was away for too long, and `LeaseLost`."""

    def __init__(
        self,
        objects: Objects,
        catalogue: Catalogue,
        leases: Leases,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        alive: Callable[[], None] = lambda: None,
        on_playable: Callable[[Lease], Awaitable[None]] = _nobody_waits,
    ) -> None:
        """`alive` is called after each try: whoever waits for a store that is away has not fallen silent.
        `on_playable` hears of each quality that can be played from now on.
        """
        self._objects = objects
        self._catalogue = catalogue
        self._leases = leases
        self._patience_seconds = patience_seconds
        self._alive = alive
        self._on_playable = on_playable
        self._retry = retrying(
            Unavailable, attempts=1000, seconds=patience_seconds, first_seconds=0.1, longest_seconds=5.0
        )

    def heard_by(self, alive: Callable[[], None]) -> "Publisher":
        """The same for one task."""
        return Publisher(
            self._objects, self._catalogue, self._leases, patience_seconds=self._patience_seconds, alive=alive,
            on_playable=self._on_playable,
        )  # fmt: skip

    async def begin(self, lease: Lease) -> None:
        """A video that had failed is in the making again."""
        await self._patiently(self._begin, lease)

    async def segments(self, lease: Lease, folder: Path, segments: Sequence[Segment]) -> None:
        """Store files of `folder` and show what can be played now. Repeating it is fine."""
        for first in range(0, len(segments), AT_ONCE):
            await self._patiently(self._store_segments, lease, folder, segments[first : first + AT_ONCE])
        await self._patiently(self._show, lease, {segment.rendition for segment in segments})

    async def poster(self, lease: Lease, file: Path) -> None:
        """Store the poster and show it."""
        await self._patiently(self._put_file, poster_key(lease.video_id, lease.poster), file)
        await self._patiently(self._leases.set_pictures, lease, poster=True)
        await self._patiently(self._show, lease, set())

    async def storyboard(self, lease: Lease, files: Iterable[Path]) -> None:
        """Store the sprites, then the list that names them, and show it."""
        for file in sorted(files, key=lambda file: file.name == STORYBOARD):
            await self._patiently(self._put_file, build_folder(lease.video_id, lease.build) + file.name, file)
        await self._patiently(self._leases.set_pictures, lease, storyboard=True)
        await self._patiently(self._show, lease, set())

    async def finish(self, lease: Lease) -> None:
        """Everything is there: playlists end, the video is ready. Raises `TranscodeIncomplete`."""
        await self._patiently(self._finish, lease)

    # --- how

    async def _patiently(
        self, step: Callable[P, Coroutine[Any, Any, None]], *arguments: P.args, **named: P.kwargs
    ) -> None:
        @wraps(step)  # retries are reported under its name
        async def tried() -> None:
            try:
                await step(*arguments, **named)
            finally:
                self._alive()

        await self._retry(tried)

    async def _begin(self, lease: Lease) -> None:
        try:
            await self._catalogue.processing(lease.video_id)
        except VideoNotFound as gone:
            raise LeaseLost from gone

    async def _store_segments(self, lease: Lease, folder: Path, segments: Sequence[Segment]) -> None:
        names = [f"{one.rendition}/{one.number}.m4s" for one in segments]
        names += [f"{one.rendition}/{INIT}" for one in segments if one.number == 0]
        into = build_folder(lease.video_id, lease.build)
        await asyncio.gather(*(self._put_file(into + name, folder / name) for name in names))
        await self._leases.add_segments(lease, segments)

    async def _show(self, lease: Lease, touched: Collection[str]) -> None:
        plan = _plan_of(lease)
        async with self._leases.alone(lease) as alone:
            ready = ready_of(plan, await alone.begun())
            turned = bool(ready) and ready != alone.shown.renditions
            # The master names playlists whose own task may not have come to write them yet.
            named = [*ready, AUDIO] if turned else []
            found = await alone.segments({*touched, *named})
            for name, segments in found.items():
                if segments:
                    text = media_playlist(plan, name, segments, ended=False)
                    await self._put_text(lease, f"{name}.m3u8", text, GROWING)
            if turned:
                master = master_playlist(plan, {name: found[name] for name in named})
                await self._put_text(lease, MASTER, master, GROWING)
            elif touched or not ready:
                return
            await self._tell(lease, plan, ready, alone, ended=False)
            await alone.set_shown(ready)
        if turned:
            await self._on_playable(lease)

    async def _finish(self, lease: Lease) -> None:
        plan = _plan_of(lease)
        names = [rendition.name for rendition in plan.renditions]
        async with self._leases.alone(lease) as alone:
            found = await alone.segments([*names, AUDIO] if plan.audio else names)
            if missing := [name for name, segments in found.items() if len(segments) != len(plan.cuts)]:
                raise TranscodeIncomplete(renditions=missing)
            for name, segments in found.items():
                await self._put_text(lease, f"{name}.m3u8", media_playlist(plan, name, segments, ended=True), ENDED)
            await self._put_text(lease, MASTER, master_playlist(plan, found), ENDED)
            await self._tell(lease, plan, names, alone, ended=True)
            await alone.set_shown(names)

    async def _tell(self, lease: Lease, plan: Plan, ready: Sequence[str], alone: Alone, *, ended: bool) -> None:
        urls = [
            Rendition(one.name, _path(lease, f"{one.name}.m3u8"), one.width, one.height, one.bitrate_bps)
            for one in plan.renditions
            if one.name in ready
        ]
        metadata = _metadata(lease, plan, alone, await alone.stored_bytes())
        tell = self._catalogue.finished if ended else self._catalogue.playable
        try:
            await tell(lease.video_id, lease.build, urls, metadata)
        except VideoNotFound as gone:
            raise LeaseLost from gone
        log.info("video.shown", video_id=lease.video_id, renditions=list(ready), ended=ended)

    async def _put_file(self, key: str, file: Path) -> None:
        with full_disk_is_our_fault():
            body = await asyncio.to_thread(file.read_bytes)
        await self._put(key, body, FOR_GOOD)

    async def _put_text(self, lease: Lease, name: str, text: str, cache: str) -> None:
        await self._put(build_folder(lease.video_id, lease.build) + name, text.encode(), cache)

    async def _put(self, key: str, body: bytes, cache: str) -> None:
        kind = TYPES[Path(key).suffix]
        await self._objects.call("put_object", Key=key, Body=body, ContentType=kind, CacheControl=cache)


def ready_of(plan: Plan, begun: Collection[str]) -> tuple[str, ...]:
    """The renditions a viewer may be told of: their first segment is there, and the sound's when there is sound."""
    if plan.audio is not None and AUDIO not in begun:
        return ()
    return tuple(rendition.name for rendition in plan.renditions if rendition.name in begun)


def _metadata(lease: Lease, plan: Plan, alone: Alone, stored_bytes: int) -> Metadata:
    probed, shown = lease.probed, alone.shown
    if probed is None:
        raise LeaseLost
    return Metadata(
        duration=plan.duration_seconds,
        file_size=lease.source.size_bytes,
        thumbnails=[f"/{poster_key(lease.video_id, lease.poster)}"] if shown.has_poster else [],
        storyboard=_path(lease, STORYBOARD) if shown.has_storyboard else None,
        width=probed.video.width,
        height=probed.video.height,
        fps=probed.video.fps,
        checksum_sha256=lease.source.sha256.hex() if lease.source.sha256 else None,
        stored_bytes=stored_bytes,
    )


def _path(lease: Lease, name: str) -> str:
    return f"/{build_folder(lease.video_id, lease.build)}{name}"


def _plan_of(lease: Lease) -> Plan:
    """Every task but `prepare` has one."""
    if lease.plan is None:
        raise LeaseLost
    return lease.plan
