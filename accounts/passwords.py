"""Hashing passwords with Argon2id in a small pool of threads, with a short queue before it.

19 MiB, 2 passes, 1 lane: the OWASP floor, about 30 ms on a core. The pool bounds memory and cores; the queue bounds the
wait: who comes when it is full is told to come back, instead of everybody waiting too long.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import Type

from accounts.errors import PasswordsBusy
from infra.logs import get_logger

P = ParamSpec("P")
T = TypeVar("T")
WAITING_PER_WORKER = 30  # about a second of work
RETRY_AFTER_MS = 2000

log = get_logger(__name__)


def footlight_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the password fits, and a new hash when the stored one was made with older parameters."""

    fits: bool
    better_hash: str | None = None


class Passwords:
    """Hashes and checks. `close()` waits for what is being hashed."""

    def __init__(self, workers: int, *, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or footlight_hasher()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="passwords")
        self._room = workers * (1 + WAITING_PER_WORKER)
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    async def check(self, stored: str | None, password: str) -> Checked:
        """Compare with a stored hash; None (no such user) costs the same work and never fits."""
        checked = await self._run(self._check, stored or self._decoy, password)
        return checked if stored else Checked(fits=False)

    def close(self) -> None:
        self._pool.shutdown()

    def _check(self, stored: str, password: str) -> Checked:
        try:
            self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return Checked(fits=False)
        except (VerificationError, InvalidHashError) as broken:
            log.error("passwords.stored_hash_unreadable", reason=type(broken).__name__)
            return Checked(fits=False)
        stale = self._hasher.check_needs_rehash(stored)
        return Checked(fits=True, better_hash=self._hasher.hash(password) if stale else None)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._room == 0:
            raise PasswordsBusy(retry_after_ms=RETRY_AFTER_MS)
        self._room -= 1
        future = self._pool.submit(work, *args, **kwargs)
        future.add_done_callback(self._free_from_thread(asyncio.get_running_loop()))
        return await asyncio.wrap_future(future)

    def _free_from_thread(self, loop: asyncio.AbstractEventLoop) -> Callable[[object], None]:
        """Gives the place back when the work is over, not when its request went away."""

        def free() -> None:
            self._room += 1

        def done(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(free)

        return done
