"""Parts of forms share a few buffers: no account has more than its share, and all are served in order."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.vod.errors import UploadsBusy
from media.vod.form_buffers import Buffers, Part

MOST, SHARE = 4, 2
PATIENCE_SECONDS = 30.0


@pytest.fixture
def buffers() -> Buffers:
    return Buffers(MOST, 8, SHARE)


def ask(buffers: Buffers, account_id: str, count: int) -> list[asyncio.Task[Part]]:
    return [asyncio.create_task(buffers.take(account_id, PATIENCE_SECONDS)) for _ in range(count)]


async def settled() -> None:
    """Long enough for every task that can go on to have gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def dismiss(tasks: list[asyncio.Task[Part]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_many_files_of_one_account_leave_room_for_another(buffers: Buffers) -> None:
    mara = ask(buffers, "mara", 20)
    await settled()
    assert [task.done() for task in mara] == [True, True] + [False] * 18
    assert not (await buffers.take("olaf", 0.5)).content
    await dismiss(mara)


async def test_who_waits_for_their_own_account_comes_in_order(buffers: Buffers) -> None:
    mara = ask(buffers, "mara", 5)
    for served in range(3):
        await settled()
        assert [task.done() for task in mara] == [True] * (served + 2) + [False] * (3 - served)
        buffers.give_back("mara", mara[served].result())
    await settled()
    assert all(task.done() for task in mara)


async def test_who_waits_behind_a_full_account_is_served_before_those_in_front(buffers: Buffers) -> None:
    others = ask(buffers, "olaf", 2) + ask(buffers, "nina", 2)
    mara, nina = ask(buffers, "mara", 1), ask(buffers, "nina", 1)
    await settled()
    buffers.give_back("nina", others[2].result())  # mara asked before nina's third
    await settled()
    assert (mara[0].done(), nina[0].done()) == (True, False)
    buffers.give_back("olaf", others[0].result())  # nina has one by now
    await settled()
    assert nina[0].done()


async def test_a_buffer_that_arrives_as_its_owner_leaves_goes_to_the_next(buffers: Buffers) -> None:
    held = ask(buffers, "mara", 2)
    leaving, staying = ask(buffers, "mara", 2)
    await settled()
    buffers.give_back("mara", held[0].result())
    leaving.cancel()  # it has been given the buffer, and does not know yet
    await settled()
    assert leaving.cancelled()
    assert staying.done()
    assert buffers.in_use == 2


async def test_who_left_while_waiting_is_passed_over(buffers: Buffers) -> None:
    held = ask(buffers, "mara", 2)
    leaving, staying = ask(buffers, "mara", 2)
    await settled()
    leaving.cancel()
    buffers.give_back("mara", held[0].result())
    await settled()
    assert staying.done()
    assert buffers.in_use == 2


async def test_nobody_waits_longer_than_they_can(buffers: Buffers) -> None:
    held = ask(buffers, "mara", 2)
    await settled()
    with pytest.raises(UploadsBusy):
        await buffers.take("mara", 0.01)
    buffers.give_back("mara", held[0].result())
    assert buffers.in_use == 1


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=40))
def test_everybody_is_served_and_nobody_beyond_their_share(accounts: list[str]) -> None:
    asyncio.run(everybody_is_served(accounts))


async def everybody_is_served(accounts: list[str]) -> None:
    buffers, now, served = Buffers(MOST, 8, SHARE), Counter[str](), 0

    async def send(account_id: str) -> None:
        nonlocal served
        part = await buffers.take(account_id, PATIENCE_SECONDS)
        now[account_id] += 1
        assert now[account_id] <= SHARE
        assert now.total() <= MOST
        await asyncio.sleep(0)
        now[account_id] -= 1
        served += 1
        buffers.give_back(account_id, part)

    await asyncio.gather(*(send(account_id) for account_id in accounts))
    assert (served, buffers.in_use) == (len(accounts), 0)
    assert len(buffers._free) <= MOST
