"""The keys that sign access tokens, as one process knows them.

All keys of the folder verify; the newest signs, once every process has had time to see it. So keys change without
anybody being signed out: `rotate()`, wait, `retire()`. Processes read the folder every RELOAD_SECONDS, and at once
for a key id they do not know (but not more often than every PAUSE_SECONDS, because anyone can invent ids).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from accounts import key_folder
from accounts.key_folder import Key
from infra.clock import Clock, system_clock
from infra.logs import get_logger
from infra.settings import BadSetting

RELOAD_SECONDS = 30.0
PAUSE_SECONDS = 3.0
SETTLE = timedelta(seconds=90)  # before a new key signs: three reloads of the others, and the cache time of the key set
OVERLAP = timedelta(hours=1)  # the longest life of an access token (FOOTLIGHT_ACCESS_MINUTES)

log = get_logger(__name__)


def signer(keys: Mapping[str, Key], now: float) -> Key:
    """The newest key that every process knows by now; while there is none, the oldest."""
    by_age = sorted(keys.values(), key=lambda key: (key.made, key.kid))
    settled = [key for key in by_age if key.made <= now - SETTLE.total_seconds()]
    return (settled or by_age[:1])[-1]


class Keys:
    """`open()` before asking; there is nothing to close."""

    def __init__(
        self, folder: Path, *, clock: Clock = system_clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._monotonic = monotonic
        self._keys: dict[str, Key] = {}
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def open(self) -> None:
        """Read the folder, and make the first key when it is empty; raises `BadSetting` when it cannot be used."""
        try:
            await asyncio.to_thread(key_folder.ensure_key, self._folder, self._clock())
            self._keys = await asyncio.to_thread(key_folder.read_keys, self._folder, {})
        except OSError as failure:
            raise BadSetting(
                f"Footlight cannot start:\n  FOOTLIGHT_KEYS={self._folder}: {failure.strerror}."
            ) from failure
        if not self._keys:
            raise BadSetting(f"Footlight cannot start:\n  FOOTLIGHT_KEYS={self._folder} has no usable RSA key.")
        self._read_at = self._monotonic()

    async def signing(self) -> Key:
        await self._reload_when_older_than(RELOAD_SECONDS)
        return signer(self._keys, self._clock().timestamp())

    async def find(self, kid: str) -> Key | None:
        """The key with this id. The id is only ever compared, never made into a path."""
        await self._reload_when_older_than(RELOAD_SECONDS)
        if kid not in self._keys:
            await self._reload_when_older_than(PAUSE_SECONDS)
        return self._keys.get(kid)

    async def public_set(self) -> list[dict[str, Any]]:
        """All public keys, newest first (RFC 7517)."""
        await self._reload_when_older_than(RELOAD_SECONDS)
        return [key.as_jwk() for key in sorted(self._keys.values(), key=lambda key: -key.made)]

    def rotate(self) -> str:
        """Add a key and return its id; it signs after SETTLE. For operators: touches files, blocks."""
        return key_folder.add(self._folder, self._clock())

    def retire(self, *, overlap: timedelta = OVERLAP) -> list[str]:
        """Remove the keys that no living token was signed with; returns their ids. For operators: blocks."""
        return key_folder.remove_succeeded(self._folder, self._clock() - SETTLE - overlap)

    def ids(self) -> list[str]:
        """The ids in the folder, oldest first. For operators: blocks."""
        return key_folder.ids(self._folder)

    async def _reload_when_older_than(self, seconds: float) -> None:
        if self._monotonic() - self._read_at < seconds:
            return
        async with self._reading:
            if self._monotonic() - self._read_at < seconds:
                return  # somebody else just did
            self._read_at = self._monotonic()
            try:
                found = await asyncio.to_thread(key_folder.read_keys, self._folder, self._keys)
            except OSError as failure:
                log.error("keys.unreadable", reason=str(failure))
                return
            if found:
                self._keys = found
            else:
                log.error("keys.gone", reason="the folder has no usable key; the known ones stay in use")
