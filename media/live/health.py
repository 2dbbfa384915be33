"""How the encoder is doing: the newest report of each stream, in Redis, forgotten when no more come.

`live:{<stream id>}:health` lives 10 s: the live process reports every few seconds, so a process that dies takes its
reports with it. `live:{<stream id>}:playable` says that the packager has something to play. It outlives a dropped
encoder: the playlist stays up while the encoder may return.
"""

from collections.abc import Awaitable, Sequence

import msgspec

from infra.stores.redis import Redis, asked
from media.ports import Health

HEALTH_SECONDS = 10


def health_key(stream_id: str) -> str:
    return f"live:{{{stream_id}}}:health"


def playable_key(stream_id: str) -> str:
    return f"live:{{{stream_id}}}:playable"


class HealthReports:
    """Reads and writes the reports. Every method raises `RedisUnavailable` when the cluster does not answer."""

    def __init__(self, redis: Redis, *, playable_seconds: int) -> None:
        """`playable_seconds`: how long a stream without reports stays playable; longer than the wait for an encoder."""
        self._redis = redis
        self._playable_seconds = playable_seconds

    async def report(self, stream_id: str, health: Health) -> None:
        playable = playable_key(stream_id)
        if health.playable:
            await asked(lambda: self._redis.set(playable, b"1", ex=self._playable_seconds))
        else:
            await asked(lambda: self._redis.delete(playable))
        await asked(lambda: self._redis.set(health_key(stream_id), msgspec.json.encode(health), ex=HEALTH_SECONDS))

    async def of(self, stream_id: str) -> Health | None:
        """The newest report, or None when nothing was heard for `HEALTH_SECONDS`."""
        found = await asked(lambda: self._redis.get(health_key(stream_id)))
        return msgspec.json.decode(found, type=Health) if found else None

    async def of_all(self, stream_ids: Sequence[str]) -> dict[str, Health | None]:
        """The same for many at once."""
        if not stream_ids:
            return {}

        def ask_all() -> Awaitable[list[bytes | None]]:
            pipeline = self._redis.pipeline()
            for stream_id in stream_ids:
                pipeline.get(health_key(stream_id))
            return pipeline.execute()

        answers = await asked(ask_all)
        return {
            stream_id: msgspec.json.decode(answer, type=Health) if answer else None
            for stream_id, answer in zip(stream_ids, answers, strict=True)
        }

    async def is_playable(self, stream_id: str) -> bool:
        return bool(await asked(lambda: self._redis.exists(playable_key(stream_id))))

    async def heard_from(self, stream_ids: Sequence[str]) -> set[str]:
        """Those of the streams that reported within `HEALTH_SECONDS`."""
        if not stream_ids:
            return set()

        def ask_all() -> Awaitable[list[int]]:
            pipeline = self._redis.pipeline()
            for stream_id in stream_ids:
                pipeline.exists(health_key(stream_id))
            return pipeline.execute()

        answers = await asked(ask_all)
        return {stream_id for stream_id, answer in zip(stream_ids, answers, strict=True) if answer}

    async def silence(self, stream_id: str) -> None:
        """The encoder dropped: what it reported is no longer true."""
        await self._delete(health_key(stream_id))

    async def forget(self, stream_id: str) -> None:
        """The stream is over."""
        await self._delete(health_key(stream_id), playable_key(stream_id))

    async def _delete(self, *keys: str) -> None:
        await asked(lambda: self._redis.delete(*keys))  # one slot: the stream id is the hash tag
