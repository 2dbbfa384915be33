"""Hashing: the right parameters, bounded, and the same work for people who do not exist."""

import asyncio
from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters

from accounts.errors import PasswordsBusy
from accounts.passwords import WAITING_PER_WORKER, Passwords, footlight_hasher


class CountingHasher(PasswordHasher):
    """Counts the hashes that were computed to verify."""

    verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        type(self).verified += 1
        return super().verify(hash, password)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(2)
    yield made
    made.close()


async def test_a_password_fits_its_own_hash_only(passwords: Passwords) -> None:
    stored = await passwords.hash("seven green kites")
    assert (await passwords.check(stored, "seven green kites")).fits
    assert not (await passwords.check(stored, "seven green kitez")).fits
    assert stored != await passwords.hash("seven green kites")


async def test_the_parameters_are_the_floor_of_owasp(passwords: Passwords) -> None:
    parameters = extract_parameters(await passwords.hash("seven green kites"))
    assert (parameters.type.name, parameters.memory_cost) == ("ID", 19 * 1024)
    assert (parameters.time_cost, parameters.parallelism) == (2, 1)


async def test_an_unknown_user_costs_the_same_hash() -> None:
    CountingHasher.verified = 0
    passwords = Passwords(1, hasher=CountingHasher(time_cost=1, memory_cost=64))
    stored = await passwords.hash("seven green kites")
    await passwords.check(stored, "wrong")
    assert CountingHasher.verified == 1
    assert not (await passwords.check(None, "wrong")).fits
    assert CountingHasher.verified == 2
    passwords.close()


async def test_a_hash_with_older_parameters_is_replaced(passwords: Passwords) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=64).hash("seven green kites")
    checked = await passwords.check(older, "seven green kites")
    assert checked.fits
    assert checked.better_hash
    assert not footlight_hasher().check_needs_rehash(checked.better_hash)
    assert (await passwords.check(older, "wrong")).better_hash is None


async def test_a_stored_hash_that_cannot_be_read_fits_nothing(passwords: Passwords) -> None:
    assert not (await passwords.check("no hash at all", "seven green kites")).fits


async def test_beyond_its_queue_it_refuses_instead_of_waiting() -> None:
    passwords = Passwords(1)
    room = 1 + WAITING_PER_WORKER
    storm = [asyncio.create_task(passwords.hash("seven green kites")) for _ in range(200)]
    outcomes = await asyncio.gather(*storm, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, PasswordsBusy)]
    assert len(refused) == 200 - room
    assert refused[0].retry_after_ms
    await asyncio.sleep(0)  # the last place is given back by the loop
    assert await passwords.hash("afterwards there is room again")
    passwords.close()


async def test_a_request_that_went_away_keeps_its_place_until_the_work_is_done() -> None:
    passwords = Passwords(1)
    gone = [asyncio.create_task(passwords.hash("seven green kites")) for _ in range(1 + WAITING_PER_WORKER)]
    await asyncio.sleep(0)
    gone[0].cancel()
    with pytest.raises(PasswordsBusy):
        await passwords.hash("no room")
    await asyncio.gather(*gone, return_exceptions=True)
    passwords.close()
