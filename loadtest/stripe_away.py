"""Stripe hangs for a minute: how long do people wait for an answer, and how soon is everything as it should be?"""

import asyncio
import time
from typing import Any

import aiohttp

from infra.local.folder import environment_of
from loadtest.people import Person, checked, sign_up
from loadtest.stack import Stack
from loadtest.tables import percentile, table

AWAY_SECONDS = 60.0
ASK_SECONDS = 0.5
PAYERS = 5
PATIENCE_SECONDS = 120.0
GOAL_MS = 1000
FIRST_NUMBER = 6000
METHOD = (
    f"Two nodes of `footlight up`; the sandbox takes every request of its API and answers none for {AWAY_SECONDS:.0f} "
    f"s. Every {ASK_SECONDS} s somebody asks for a payment page, and is told `payment.stripe`. Each node learns that "
    "Stripe is away from three requests that nobody answers within 5 s (*learning*: until the last of those came "
    f"back). Meanwhile {PAYERS} people pay at pages they had open; *catches up* is from Stripe's return until the last "
    "of them is subscribed."
)


async def measure(stack: Stack) -> str:
    """Returns the table."""
    sandbox_url = environment_of(stack.folder)["FOOTLIGHT_STRIPE_API_BASE"]
    connector = aiohttp.TCPConnector(limit=0, force_close=True)  # an idle connection may close just as it is used
    async with (
        aiohttp.ClientSession(stack.web, connector=connector) as web,
        aiohttp.ClientSession(sandbox_url) as sandbox,
    ):
        payers = [await sign_up(web, FIRST_NUMBER + number) for number in range(PAYERS)]
        pages = [await page_of(web, who) for who in payers]
        people = [await sign_up(web, FIRST_NUMBER + PAYERS + number) for number in range(int(AWAY_SECONDS) // 4)]
        answers = await _outage(web, sandbox, people, pages)
        caught_up = await _caught_up(web, payers)
    slow = [began + took for began, took in answers if took > GOAL_MS / 1000]
    learnt = max(slow, default=0.0)
    after = [took * 1000 for began, took in answers if began > learnt]
    row = (
        len(answers), len(slow), learnt, *(percentile(after, share) for share in (0.5, 0.95)), max(after), GOAL_MS,
        caught_up,
    )  # fmt: skip
    columns = (
        "answers", "over 1 s", "learning s", "p50 ms then", "p95 ms then", "most ms then", "goal ms", "catches up s",
    )  # fmt: skip
    return table("Stripe away for a minute", METHOD, columns, [row])


async def page_of(web: aiohttp.ClientSession, who: Person) -> str:
    """The visit's id at the sandbox."""
    async with web.post("/api/v1/checkout", json={"plan_id": "premium-monthly"}, headers=who.headers) as answer:
        order: dict[str, Any] = await checked(answer)
    return str(order["url"]).rstrip("/").rpartition("/")[2].partition("?")[0]


async def pay(sandbox: aiohttp.ClientSession, session_id: str) -> None:
    async with sandbox.post(f"/_sandbox/checkout/{session_id}/pay", json={}) as answer:
        await checked(answer)


async def _outage(
    web: aiohttp.ClientSession, sandbox: aiohttp.ClientSession, people: list[Person], pages: list[str]
) -> list[tuple[float, float]]:
    """When each question was asked, and how long its answer took, in seconds from the beginning of the outage."""
    async with sandbox.post("/_sandbox/faults", json={"kind": "hang"}) as answer:
        answer.raise_for_status()
    began, asking = time.monotonic(), list[asyncio.Task[tuple[float, float]]]()
    for number in range(int(AWAY_SECONDS / ASK_SECONDS)):
        await asyncio.sleep(began + number * ASK_SECONDS - time.monotonic())
        asking.append(asyncio.create_task(_ask(web, people[number % len(people)], began)))
        if number % 20 == 0 and pages:
            await pay(sandbox, pages.pop())
    answers = list(await asyncio.gather(*asking))
    async with sandbox.delete("/_sandbox/faults") as answer:
        answer.raise_for_status()
    return answers


async def _ask(web: aiohttp.ClientSession, who: Person, began: float) -> tuple[float, float]:
    asked = time.monotonic()
    async with web.post("/api/v1/checkout", json={"plan_id": "premium-monthly"}, headers=who.headers) as answer:
        said = await answer.json()
    if (answer.status, said.get("error", {}).get("code")) != (503, "payment.stripe"):
        raise RuntimeError(f"{answer.status} {said}")
    return asked - began, time.monotonic() - asked


async def _caught_up(web: aiohttp.ClientSession, payers: list[Person]) -> float:
    began = time.monotonic()
    for who in payers:
        while not await _is_subscribed(web, who):
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise RuntimeError("a payment is lost")
            await asyncio.sleep(0.2)
    return time.monotonic() - began


async def _is_subscribed(web: aiohttp.ClientSession, who: Person) -> bool:
    async with web.get("/api/v1/subscription", headers=who.headers) as answer:
        return (await checked(answer))["subscription"] is not None
