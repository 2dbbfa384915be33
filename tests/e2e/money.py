"""What people do with money in a browser, and what only time does."""

import asyncio
import json
import sys
from typing import Any, cast

import asyncpg

from infra.settings import load_settings
from infra.stores.redis import open_redis
from loadtest.stack import Stack
from tests.e2e.conftest import Person
from tests.e2e.videos import ask

ELEVEN_MINUTES_MS = 11 * 60 * 1000
GOOD_CARD = "4242 4242 4242 4242"


def environment_of(stack: Stack) -> dict[str, str]:
    """What the processes of the platform were told."""
    told: dict[str, str] = json.loads((stack.folder / "environment.json").read_text())
    return told


async def pay(person: Person, card: str = GOOD_CARD) -> None:
    """On the page that stands in for Stripe's; comes back to ours."""
    await person.page.get_by_label("Card number").fill(card)
    await person.page.get_by_label("Expiry").fill("12 / 40")
    await person.page.get_by_label("Security code").fill("123")
    await person.page.get_by_role("button", name="Subscribe for").click()
    await person.see("payment").wait_for()


async def subscribe(person: Person, creator_id: str, tier: int) -> None:
    """To a channel, with a good card."""
    await person.go(f"/creators/{creator_id}")
    await person.see("subscribe-channel").click()
    await person.see(f"tier-{tier}").click()
    await person.see("go-pay").click()
    await pay(person)
    await person.page.locator('[data-testid="payment"][data-state="paid"]').wait_for()


async def onboard(person: Person) -> None:
    """From the earnings page to Stripe's and back."""
    await person.see("onboard").click()
    await person.page.get_by_role("button", name="Agree and finish").click()
    await person.page.locator('[data-testid="payout-account"][data-state="ready"]').wait_for()


async def make_admin(stack: Stack, person: Person) -> None:
    """As an operator does it."""
    command = [sys.executable, "-m", "gateway", "grant", person.email, "admin", "--data", str(stack.folder)]
    granting = await asyncio.create_subprocess_exec(*command)
    assert await granting.wait() == 0


async def a_week_passes(stack: Stack) -> None:
    """Whatever is pending is available now. The books allow no change, so their guard looks away for the moment."""
    await _execute(
        stack,
        "ALTER TABLE journal_lines DISABLE TRIGGER journal_lines_are_kept;"
        "UPDATE journal_lines SET available_at = now() - interval '1 hour' WHERE available_at > now();"
        "ALTER TABLE journal_lines ENABLE TRIGGER journal_lines_are_kept;",
    )


async def ten_minutes_pass(stack: Stack, person: Person) -> None:
    """Their sign-ins are no longer fresh."""
    user_id = (await ask(person, "/auth/me"))["id"]
    async with open_redis(load_settings(environment_of(stack)).redis) as redis:
        began = f"sessions:{{{user_id}}}"
        for found in await redis.zrange(began, 0, -1):
            session_id = cast(bytes, found).decode()
            await redis.zincrby(began, -ELEVEN_MINUTES_MS, session_id)
            await redis.delete(f"{began}:{session_id}:fresh")


async def _execute(stack: Stack, statements: str) -> Any:
    connection = await asyncpg.connect(environment_of(stack)["FOOTLIGHT_POSTGRES_URL"])
    try:
        return await connection.execute(statements)
    finally:
        await connection.close()
