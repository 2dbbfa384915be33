"""Live streams: what creators, viewers and the ingest may do with them.

Every change of state is one transaction that locks the row, asks the state machine, stores the outcome and its event,
and commits. So any number of processes may act on one stream at once and the events stand in the outbox in the order
in which they became true.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Self
from uuid import UUID

from accounts.model import Identity
from accounts.roles import may_create
from infra.clock import Clock, NewId, new_id, system_clock
from infra.errors import Unavailable
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.settings import LiveSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis, RedisUnavailable
from media.errors import (
    CreatorsOnly,
    KeyRefused,
    NothingToPlayYet,
    NotYourStream,
    StreamAlreadyOpen,
    StreamIsOver,
    StreamNotFound,
)
from media.events import Audience, StreamCreated, StreamKeyReset
from media.ingest.flv import Kind
from media.ingest.meter import WANTED
from media.live import keys, state
from media.live.health import HealthReports
from media.live.repository import StreamRepository
from media.live.state import EndReason, Latency, Stream
from media.live.titles import clean_category, clean_title
from media.ports import Admission, Health
from media.recording.repository import RecordingRepository

START_ATTEMPTS = 3  # the open stream that stood in the way may end between two statements

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ingest:
    """What a creator types into the encoder. The only place where a key is ever shown; never logged."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Started:
    """A new stream and the key that belongs to it."""

    stream: Stream
    ingest: Ingest


class Keep(Enum):
    """Leave it as it is: None already means "none"."""

    KEEP = "keep"


KEEP = Keep.KEEP


class Streams:
    """The service. Also the ingest's desk (`media.ports.IngestDesk`)."""

    def __init__(
        self,
        repository: StreamRepository,
        db: Postgres,
        outbox: Outbox,
        health: HealthReports,
        clock: Clock,
        new_id: NewId,
        settings: LiveSettings,
    ) -> None:
        self._repository = repository
        self._recordings = RecordingRepository()
        self._db = db
        self._outbox = outbox
        self._health = health
        self._clock = clock
        self._new_id = new_id
        self._settings = settings

    @classmethod
    def over(cls, db: Postgres, redis: Redis, outbox: Outbox, settings: LiveSettings) -> Self:
        """The service as the program uses it."""
        # An interrupted stream stays playable until the sweeper ends it, which may take a few seconds more.
        health = HealthReports(redis, playable_seconds=settings.reconnect_seconds + 30)
        return cls(StreamRepository(), db, outbox, health, system_clock, new_id, settings)

    # --- what creators and viewers do

    async def start(
        self,
        who: Identity,
        title: str,
        category: str | None,
        latency: Latency,
        *,
        record: bool = True,
        visibility: Audience = "public",
    ) -> Started:
        """Open a stream; the encoder may come any time in the next 12 hours. `record`: it becomes a video.

        Raises `CreatorsOnly`, `TextRefused`, `StreamAlreadyOpen` (with `details.stream_id`).
        """
        _creators_only(who)
        new = self._new_stream(who, title, category, latency)
        key, stream = keys.new_key(), replace(new, record=record, visibility=visibility)
        for _ in range(START_ATTEMPTS):
            async with self._db.transaction() as connection:
                if await self._repository.insert(connection, stream, keys.hash_of(key)):
                    await self._outbox.add(connection, StreamCreated(at=stream.created_at, **state.shown(stream)))
                    break
                rival = await self._repository.open_of(connection, who.user_id)
            if rival:
                raise StreamAlreadyOpen(stream_id=rival.id)
        else:
            raise Unavailable
        self._outbox.nudge()
        log.info("stream.created", stream_id=stream.id, creator_id=who.user_id)
        return Started(stream, self._ingest(key))

    async def get(self, stream_id: str) -> Stream:
        """Raises `StreamNotFound`."""
        async with self._db.connection() as connection:
            return _found(await self._repository.get(connection, _checked(stream_id)))

    async def list_live(self) -> list[Stream]:
        """What is live or interrupted now, the newest 1000."""
        async with self._db.connection() as connection:
            return await self._repository.on_air(connection)

    async def mine(self, who: Identity) -> tuple[Stream | None, Health | None]:
        """The creator's stream that is not over yet, and how its encoder does. Raises `CreatorsOnly`."""
        _creators_only(who)
        async with self._db.connection() as connection:
            stream = await self._repository.open_of(connection, who.user_id)
        return stream, await self._health.of(stream.id) if stream else None

    async def manifest_url(self, stream: Stream) -> str:
        """Where players begin. Raises `StreamIsOver`, `NothingToPlayYet`."""
        if stream.is_over:
            raise StreamIsOver(stream_id=stream.id)
        if stream.status == "created" or not await self._health.is_playable(stream.id):
            raise NothingToPlayYet(stream_id=stream.id)
        return f"{self._settings.edge_public_url.rstrip('/')}/live/{stream.playback_id}/index.m3u8"

    async def stop(self, stream_id: str, who: Identity) -> Stream:
        """End the stream; again is fine. Raises `StreamNotFound`, and `NotYourStream` unless creator or admin."""

        def stopped(stream: Stream, now: datetime) -> Stream:
            if stream.creator_id == who.user_id:
                return state.end(stream, "stopped_by_creator", now)
            if who.role == "admin":
                return state.end(stream, "stopped_by_admin", now)
            raise NotYourStream(stream_id=stream.id)

        return await self._change(_checked(stream_id), stopped)

    async def describe(
        self,
        stream_id: str,
        who: Identity,
        *,
        title: str | None = None,
        category: str | Keep | None = KEEP,
        record: bool | None = None,
    ) -> Stream:
        """Change the title (None: keep it), the category (None: none) or whether what is sent from now on is recorded
        (None: keep it) of a stream that is not over.

        Raises `StreamNotFound`, `NotYourStream` unless creator or admin, `StreamIsOver`, `TextRefused`.
        """
        new_title = clean_title(title) if title is not None else None
        new_category = category if isinstance(category, Keep) else clean_category(category)

        def described(stream: Stream, now: datetime) -> Stream:
            if stream.creator_id != who.user_id and who.role != "admin":
                raise NotYourStream(stream_id=stream.id)
            wanted = stream.category if isinstance(new_category, Keep) else new_category
            recording = stream if record is None else state.record(stream, record=record)
            return state.describe(recording, new_title or stream.title, wanted, now)

        return await self._change(_checked(stream_id), described)

    async def reset_key(self, stream_id: str, who: Identity) -> Ingest:
        """A new key; the old one is dead at once. Raises `StreamNotFound`, `NotYourStream`, `StreamIsOver`."""
        key = keys.new_key()
        async with self._db.transaction() as connection:
            stream = _found(await self._repository.lock(connection, _checked(stream_id)))
            if stream.creator_id != who.user_id:
                raise NotYourStream(stream_id=stream.id)
            if stream.is_over:
                raise StreamIsOver(stream_id=stream.id)
            await self._repository.replace_key(connection, stream.id, keys.hash_of(key))
            event = StreamKeyReset(at=self._clock(), stream_id=stream.id, creator_id=stream.creator_id)
            await self._outbox.add(connection, event)
        self._outbox.nudge()
        log.info("stream.key_reset", stream_id=stream.id)
        return self._ingest(key)

    # --- what the ingest asks and tells

    async def admit(self, key: str) -> Admission:
        """Whom this key lets in; changes nothing. `connection` is the number this encoder will have when connected.

        Raises `KeyRefused`, `StreamIsOver`.
        """
        if not keys.looks_like_a_key(key):
            raise KeyRefused
        async with self._db.connection() as connection:
            found = await self._repository.by_key(connection, keys.hash_of(key))
        if found is None or not keys.matches(key, found[1]):
            raise KeyRefused
        stream = found[0]
        if stream.is_over:
            raise StreamIsOver(stream_id=stream.id)
        return Admission(
            stream_id=stream.id,
            playback_id=stream.playback_id,
            latency=stream.latency,
            created_at=stream.created_at,
            connection=stream.connections + 1,
            record=stream.record,
        )

    async def connected(self, stream_id: str) -> int:
        """The encoder sends pictures; returns the number of this connection. Raises `StreamIsOver`."""
        return (await self._change(stream_id, state.connect)).connections

    async def dropped(self, stream_id: str, reason: str, connection: int) -> None:
        """The encoder of this connection is gone; the stream waits for it unless another one publishes already."""
        await self.drop_if_still(stream_id, connection)
        log.info("stream.encoder_dropped", stream_id=stream_id, reason=reason, connection=connection)

    async def unwanted(self, publishers: Mapping[str, str]) -> set[str]:
        """Of `{stream_id: key}` those that must be disconnected: the stream is over or the key was replaced."""
        if not publishers:
            return set()
        async with self._db.connection() as connection:
            stored = await self._repository.open_key_hashes(connection, list(publishers))
        return {
            stream_id
            for stream_id, key in publishers.items()
            if stream_id not in stored or not keys.matches(key, stored[stream_id])
        }

    async def recorded(self, stream_ids: Sequence[str]) -> set[str]:
        """Those of which what is sent now is to be recorded."""
        async with self._db.connection() as connection:
            return await self._recordings.recorded(connection, stream_ids)

    async def report(self, stream_id: str, health: Health) -> None:
        """How the encoder does, every few seconds. Raises `RedisUnavailable`."""
        await self._health.report(stream_id, health)

    # --- what the sweeper and the sampler do

    @property
    def reconnect(self) -> timedelta:
        """How long a dropped encoder may take to return."""
        return timedelta(seconds=self._settings.reconnect_seconds)

    async def all_open(self) -> list[Stream]:
        """Every stream that is not over."""
        async with self._db.connection() as connection:
            return await self._repository.all_open(connection)

    async def heard_from(self, stream_ids: Sequence[str]) -> set[str]:
        """Those whose live process reported within the last 10 s. Raises `RedisUnavailable`."""
        return await self._health.heard_from(stream_ids)

    async def publishing(self, stream_ids: Sequence[str]) -> set[str]:
        """Those whose last report, not older than 10 s, has pictures that go through. Raises `RedisUnavailable`."""
        found = {stream_id: await self._health.of(stream_id) for stream_id in stream_ids}
        return {
            stream_id
            for stream_id, health in found.items()
            if health and health.fps > 0 and health.video_codec == WANTED[Kind.VIDEO]
        }

    async def health_of(self, stream_ids: Sequence[str]) -> dict[str, Health]:
        """The reports of those whose encoder was heard from within the last 10 s. Raises `RedisUnavailable`."""
        found = await self._health.of_all(stream_ids)
        return {stream_id: health for stream_id, health in found.items() if health}

    async def heal_if_still(self, stream_id: str, connection: int) -> None:
        """Make an interrupted stream live again whose encoder reports, unless another has connected since."""

        def still(stream: Stream, now: datetime) -> Stream:
            return state.heal(stream, now) if stream.connections == connection else stream

        await self._change(stream_id, still)

    async def end_if_overdue(self, stream_id: str) -> EndReason | None:
        """End the stream if its time is over; says why it is over, None when it goes on."""
        stream = await self._change(stream_id, lambda stream, now: state.end_if_overdue(stream, now, self.reconnect))
        return stream.end_reason

    async def drop_if_still(self, stream_id: str, connection: int) -> None:
        """Interrupt a stream whose encoder fell silent or left, unless an encoder has connected since."""

        def still(stream: Stream, now: datetime) -> Stream:
            return state.drop(stream, now) if stream.connections == connection else stream

        await self._change(stream_id, still)

    # --- how

    async def _change(self, stream_id: str, decide: Callable[[Stream, datetime], Stream]) -> Stream:
        async with self._db.transaction() as connection:
            before = _found(await self._repository.lock(connection, stream_id))
            now = self._clock()  # read under the lock, so that times stand in the order of the events
            after = decide(before, now)
            if after is before:
                return before
            await self._repository.save(connection, after)
            if after.connections > before.connections:
                await self._recordings.begin(connection, after.id, after.connections, now)
            if event := state.event_of(before, after, now):
                await self._outbox.add(connection, event)
        self._outbox.nudge()
        if change := state.change_between(before, after):
            log.info(f"stream.{change}", stream_id=after.id, connection=after.connections, reason=after.end_reason)
        else:
            log.info("stream.changed", stream_id=after.id, connection=after.connections)
        await self._tidy(before, after)
        return after

    async def _tidy(self, before: Stream, after: Stream) -> None:
        """Remove what was reported about a connection that is gone; the reports expire anyway."""
        try:
            if after.is_over:
                await self._health.forget(after.id)
            elif state.change_between(before, after) == "interrupted":
                await self._health.silence(after.id)
        except RedisUnavailable as failure:
            log.error("stream.health_left_behind", stream_id=after.id, code=failure.code)

    def _new_stream(self, who: Identity, title: str, category: str | None, latency: Latency) -> Stream:
        return Stream(
            id=self._new_id(),
            creator_id=who.user_id,
            creator_name=who.display_name,
            playback_id=keys.new_playback_id(),
            title=clean_title(title),
            category=clean_category(category),
            latency=latency,
            status="created",
            created_at=self._clock(),
        )

    def _ingest(self, key: str) -> Ingest:
        return Ingest(self._settings.rtmp_public_url, key)


def _creators_only(who: Identity) -> None:
    if not may_create(who.role):
        raise CreatorsOnly


def _checked(stream_id: str) -> str:
    """An id as we write it; anything else cannot be a stream."""
    try:
        canonical = str(UUID(stream_id))
    except ValueError:
        raise StreamNotFound from None
    if canonical != stream_id.lower():
        raise StreamNotFound
    return canonical


def _found(stream: Stream | None) -> Stream:
    if stream is None:
        raise StreamNotFound
    return stream
