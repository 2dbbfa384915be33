"""Asking Stripe: with little patience, again when that helps, and never twice for what must happen once.

`stripe-python` would retry by itself, but not on 429, with a random idempotency key that dies with the process, and
after 80 s. So its own retries are off: every write carries a key of ours, which is the same over crashes, and one
breaker for the process keeps callers from waiting for a Stripe that is down.

A hang, a reset or a 5xx leaves open whether a write happened. Asking again with the same key gives the same answer.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec
import stamina
import stripe

from infra.breaker import Breaker, CircuitOpen, Rules
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.stripe_settings import StripeSettings
from payments.errors import PaymentRefused, StripeRefused, StripeUnavailable
from payments.stripe.errors import NoSuchObject

T = TypeVar("T", bound=msgspec.Struct)
Options = stripe.RequestOptions
Request = Callable[[Options], Awaitable[stripe.StripeObject]]

# An outage is what a breaker counts: no answer, or one that says that Stripe itself is at fault.
RULES = Rules(consecutive=3)  # each may have kept somebody waiting for 5 s
CONFLICT, TOO_MANY, FAULT = 409, 429, 500

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask, and how long to go on. Waits double from `first_seconds`; no try begins after `seconds`.

    `probes_apart`: whether Stripe is back is found out by a question of its own, for which nobody waits.
    """

    tries: int
    first_seconds: float
    seconds: float
    probes_apart: bool = False


# A person waits for the page, and a second click is safe: three tries that fail at once take 0.6 s.
SOMEBODY_WAITS = Patience(tries=3, first_seconds=0.2, seconds=0.8, probes_apart=True)
NOBODY_WAITS = Patience(tries=4, first_seconds=0.2, seconds=10.0)


class Outage(Exception):  # never leaves this module
    """Counted by the breaker; `cause` is what Stripe's client raised, or a TimeoutError."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class Stripe:
    """One account at Stripe. `ask` is all that the rest of us needs; `api` makes the requests it is given."""

    def __init__(
        self, api: stripe.StripeClient, breaker: Breaker, *, patience: Patience, timeout_seconds: float
    ) -> None:
        self.api = api
        self._breaker = breaker
        self._patience = patience
        self._timeout_seconds = timeout_seconds
        self._probing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Nothing is asked any more."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait({self._probing})

    async def ask(self, request: Request, shape: type[T], *, key: str | None = None) -> T:
        """The answer as `shape`. `key` makes a write happen once, however often it is asked for.

        Raises `StripeUnavailable` when there was no answer in time (a write may still have happened: ask again with
        the same key), `NoSuchObject`, `PaymentRefused`, and `StripeRefused` for what is our own fault.
        """
        options: Options = {"idempotency_key": key} if key else {}
        try:
            answer = await self._patiently(request, options)
        except CircuitOpen as still:
            raise StripeUnavailable(retry_after_ms=still.retry_after_ms) from None
        except Outage as outage:
            log.error("stripe.no_answer", **_told(outage.cause))
            raise StripeUnavailable(retry_after_ms=_wait_ms(outage.cause)) from outage.cause
        except stripe.StripeError as refused:
            raise _as_ours(refused) from refused
        return _read(answer, shape)

    async def _patiently(self, request: Request, options: Options) -> stripe.StripeObject:
        patience = self._patience
        attempts = stamina.retry_context(
            on=self._worth_another_try,
            attempts=patience.tries,
            timeout=patience.seconds,
            wait_initial=patience.first_seconds,
            wait_max=patience.seconds,
            wait_jitter=patience.first_seconds / 4,
        )
        async for attempt in attempts:
            with attempt:
                return await self._once(request, options)
        raise AssertionError("the last attempt returns or raises")

    async def _probe(self) -> None:
        """Ask for something small; the breaker takes note of what comes of it."""
        with contextlib.suppress(CircuitOpen, Outage, stripe.StripeError):
            await self._guarded(lambda options: self.api.v1.prices.list_async({"limit": 1}, options), {})

    async def _once(self, request: Request, options: Options) -> stripe.StripeObject:
        if self._patience.probes_apart and self._breaker.is_due:
            if self._probing is None or self._probing.done():
                self._probing = asyncio.create_task(self._probe())
            raise self._breaker.refusal()
        return await self._guarded(request, options)

    async def _guarded(self, request: Request, options: Options) -> stripe.StripeObject:
        with self._breaker.guard():
            try:
                async with asyncio.timeout(self._timeout_seconds):  # httpx counts each part of an answer anew
                    return await request(options)
            except TimeoutError as failure:
                raise Outage(failure) from failure
            except stripe.StripeError as failure:
                if isinstance(failure, stripe.APIConnectionError) or (failure.http_status or 0) >= FAULT:
                    raise Outage(failure) from failure
                raise

    def _worth_another_try(self, failure: Exception) -> bool | float:
        """Whether, or after how many seconds. What Stripe itself says about that comes first."""
        cause = failure.cause if isinstance(failure, Outage) else failure
        advice = _headers(cause).get("stripe-should-retry")
        busy = isinstance(cause, stripe.StripeError) and cause.http_status in {CONFLICT, TOO_MANY}
        if advice == "false" or not (advice == "true" or busy or isinstance(failure, Outage)):
            return False
        wait_ms = _wait_ms(cause)
        if wait_ms is None:
            return True
        return wait_ms / 1000 if wait_ms <= self._patience.seconds * 1000 else False


@asynccontextmanager
async def open_stripe(
    settings: StripeSettings, metrics: Metrics, *, patience: Patience = NOBODY_WAITS, rules: Rules = RULES
) -> AsyncIterator[Stripe]:
    """Stripe, or what stands in for it at `settings.api_base`. Leaving the block closes its connections."""
    timeout = httpx.Timeout(settings.timeout_seconds)
    http = stripe.HTTPXClient(timeout=timeout)
    api = stripe.StripeClient(
        settings.secret_key,
        http_client=http,
        base_addresses={"api": settings.api_base.rstrip("/")},
        max_network_retries=0,
    )
    try:
        breaker = Breaker("stripe", (Outage,), metrics, rules=rules)
        opened = Stripe(api, breaker, patience=patience, timeout_seconds=settings.timeout_seconds)
        try:
            yield opened
        finally:
            await opened.close()
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]  # stripe-python leaves this one untyped


def _read(answer: stripe.StripeObject, shape: type[T]) -> T:
    response = answer.last_response
    if response is None:
        raise AssertionError("stripe-python keeps the response of every call")
    try:
        return msgspec.json.decode(response.body, type=shape)
    except msgspec.MsgspecError as strange:
        log.error("stripe.not_understood", shape=shape.__name__, why=str(strange))
        raise StripeRefused from strange


def _as_ours(refused: stripe.StripeError) -> Exception:
    if refused.http_status == TOO_MANY:
        return StripeUnavailable(retry_after_ms=_wait_ms(refused))
    if isinstance(refused, stripe.CardError):
        return PaymentRefused(decline_code=_decline_code(refused))
    if isinstance(refused, stripe.InvalidRequestError) and refused.code == "resource_missing":
        return NoSuchObject()
    if refused.http_status == CONFLICT:
        return StripeUnavailable()  # another request with this key is still under way
    log.error("stripe.refused", **_told(refused))
    return StripeRefused()


def _decline_code(refused: stripe.CardError) -> str | None:
    return (refused.error.decline_code if refused.error else None) or refused.code


def _told(failure: Exception) -> dict[str, object]:
    """What may be logged. Never the message: it can quote what was sent."""
    if not isinstance(failure, stripe.StripeError):
        return {"kind": type(failure).__name__}
    return {
        "kind": type(failure).__name__,
        "status": failure.http_status,
        "code": failure.code,
        "request": failure.request_id,
    }


def _headers(failure: Exception) -> Mapping[str, str]:
    return (failure.headers or {}) if isinstance(failure, stripe.StripeError) else {}


def _wait_ms(failure: Exception) -> int | None:
    """`Retry-After`, when Stripe says it in seconds."""
    said = _headers(failure).get("retry-after", "")
    return int(float(said) * 1000) if said.replace(".", "", 1).isdigit() else None
