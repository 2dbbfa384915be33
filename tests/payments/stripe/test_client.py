"""Asking Stripe when it hangs, fails, refuses, is busy or away: one key, little patience, clear words."""

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from infra.breaker import Rules
from infra.errors import FootlightError
from infra.metrics import Metrics
from infra.stripe_settings import StripeSettings
from payments.errors import PaymentRefused, StripeRefused, StripeUnavailable
from payments.stripe.calls import Calls
from payments.stripe.client import Patience, open_stripe
from payments.stripe.errors import NoSuchObject
from payments.stripe.shapes import Customer
from tests.infra.test_logs import printed
from tests.payments.stripe.scripted import CUSTOMER, Says, Scripted, fails, scripted

QUICK = Patience(tries=4, first_seconds=0.01, seconds=2.0)
NEVER = Rules(consecutive=1000, least=1000)


@pytest.fixture
async def stripe() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


def settings(server: Scripted, timeout_seconds: float = 1.0) -> StripeSettings:
    return StripeSettings(secret_key="sk_hunter2", api_base=server.url, timeout_seconds=timeout_seconds)


async def created(server: Scripted, rules: Rules = NEVER) -> Customer:
    async with open_stripe(settings(server), Metrics(), patience=QUICK, rules=rules) as stripe:
        return await Calls(stripe).create_customer("u1", "ada@example.com", "Ada", key="customer:u1")


@pytest.mark.parametrize(
    "before",
    [
        [fails(500), fails(503)],
        [fails(409)],
        [fails(429)],
        [fails(429, {"Retry-After": "0.05"})],
        [Says(hangs=True)],
        [Says(resets=True), Says(resets=True)],
        [fails(400, {"Stripe-Should-Retry": "true"})],
        [Says(502, b"<html>bad gateway</html>")],
    ],
    ids=["fault", "conflict", "busy", "busy until", "hang", "reset", "told to", "proxy"],
)
async def test_what_passes_is_asked_again_under_the_same_key(stripe: Scripted, before: list[Says]) -> None:
    stripe.script = [*before, Says()]
    assert (await created(stripe)).id == "cus_1"
    assert len(stripe.asked) == len(before) + 1
    assert stripe.keys == {"customer:u1"}
    assert len({one.body for one in stripe.asked}) == 1


@pytest.mark.parametrize(
    ("says", "raised"),
    [
        (fails(402, type="card_error", code="card_declined", decline_code="lost_card"), PaymentRefused),
        (fails(404, type="invalid_request_error", code="resource_missing"), NoSuchObject),
        (fails(400, type="invalid_request_error"), StripeRefused),
        (fails(400, type="idempotency_error"), StripeRefused),
        (fails(401), StripeRefused),
        (fails(403), StripeRefused),
        (fails(500, {"Stripe-Should-Retry": "false"}), StripeUnavailable),
        (Says(200, b"not JSON"), StripeRefused),
        (Says(200, {"object": "customer"}), StripeRefused),
    ],
)
async def test_what_does_not_pass_is_asked_once(stripe: Scripted, says: Says, raised: type[FootlightError]) -> None:
    stripe.script = [says]
    with pytest.raises(raised) as refused:
        await created(stripe)
    assert len(stripe.asked) == 1
    assert "hunter2" not in msgspec.json.encode(refused.value.as_dict()).decode()


async def test_a_refused_card_says_why(stripe: Scripted) -> None:
    stripe.script = [fails(402, type="card_error", code="card_declined", decline_code="insufficient_funds")]
    with pytest.raises(PaymentRefused) as refused:
        await created(stripe)
    assert refused.value.details == {"decline_code": "insufficient_funds"}


@pytest.mark.parametrize("says", [fails(500), fails(429), fails(409), Says(hangs=True), Says(resets=True)])
async def test_patience_ends(stripe: Scripted, says: Says) -> None:
    stripe.script = [says]
    with pytest.raises(StripeUnavailable):
        await created(stripe)
    assert 1 < len(stripe.asked) <= QUICK.tries


async def test_a_long_retry_after_is_passed_on_and_not_waited_for(stripe: Scripted) -> None:
    stripe.script = [fails(429, {"Retry-After": "30"})]
    with pytest.raises(StripeUnavailable) as busy:
        await created(stripe)
    assert (len(stripe.asked), busy.value.retry_after_ms) == (1, 30_000)


async def test_an_answer_that_trickles_counts_as_none(stripe: Scripted) -> None:
    """httpx would wait its timeout anew for each byte."""
    seen: list[float] = []

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.05)

    stripe.serve = trickle  # type: ignore[method-assign]
    began = time.monotonic()
    once = Patience(tries=1, first_seconds=0.01, seconds=1.0)
    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        base = StripeSettings(secret_key="sk_1", api_base=f"http://127.0.0.1:{port}", timeout_seconds=0.3)
        async with open_stripe(base, Metrics(), patience=once) as client:
            with pytest.raises(StripeUnavailable):
                await Calls(client).customer("cus_1")
        seen.append(time.monotonic() - began)
        server.close()
    assert seen[0] < 5  # and not the fifty seconds of a thousand bytes


async def test_the_breaker_opens_lets_one_probe_through_and_closes(stripe: Scripted) -> None:
    rules = Rules(consecutive=3, open_seconds=0.2)
    stripe.script = [fails(500)]
    async with open_stripe(settings(stripe), Metrics(), patience=QUICK, rules=rules) as client:
        calls = Calls(client)
        with pytest.raises(StripeUnavailable):
            await calls.customer("cus_1")
        assert len(stripe.asked) == rules.consecutive
        refused = await asyncio.gather(*(calls.customer("cus_1") for _ in range(20)), return_exceptions=True)
        assert {type(one) for one in refused} == {StripeUnavailable}
        assert all(isinstance(one, StripeUnavailable) and one.retry_after_ms for one in refused)
        assert len(stripe.asked) == rules.consecutive, "an open breaker asks nothing"
        stripe.script = [Says(hangs=True), Says()]
        await asyncio.sleep(rules.open_seconds)
        await asyncio.gather(*(calls.customer("cus_1") for _ in range(20)), return_exceptions=True)
        assert len(stripe.asked) == rules.consecutive + 1, "one probe, and nobody beside it"
        await asyncio.sleep(rules.open_seconds)
        assert (await calls.customer("cus_1")).id == "cus_1"


async def test_a_refused_card_is_no_outage(stripe: Scripted) -> None:
    stripe.script = [fails(402, type="card_error", code="card_declined")]
    async with open_stripe(settings(stripe), Metrics(), patience=QUICK, rules=Rules(consecutive=2)) as client:
        for _ in range(5):
            with pytest.raises(PaymentRefused):
                await Calls(client).customer("cus_1")


async def test_lists_are_read_to_their_end(stripe: Scripted) -> None:
    def refund(number: int) -> dict[str, object]:
        return {"id": f"re_{number}", "object": "refund", "amount": 1, "currency": "eur", "created": number}

    first = {"object": "list", "data": [refund(2), refund(1)], "has_more": True, "url": "/v1/refunds"}
    stripe.script = [Says(body=first), Says(body={**first, "data": [refund(0)], "has_more": False})]
    async with open_stripe(settings(stripe), Metrics()) as client:
        found = [one.id async for one in Calls(client).lists.refunds(payment_intent="pi_1")]
    assert found == ["re_2", "re_1", "re_0"]
    assert [one.path.partition("starting_after=")[2] for one in stripe.asked] == ["", "re_1"]


async def test_our_own_lines_tell_nothing_that_is_sent_or_answered(
    stripe: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    for says in (fails(500), fails(402, type="card_error"), fails(400), Says(body={**CUSTOMER, "id": 5})):
        stripe.script = [says]
        with pytest.raises(FootlightError):
            await created(stripe)
    said = capsys.readouterr().out
    assert "stripe.no_answer" in said
    for word in ("hunter2", "ada@example.com"):
        assert word not in said


def test_the_library_s_own_lines_are_not_written() -> None:
    """It writes what Stripe says of an error, and whole bodies at DEBUG."""
    assert printed("for name in ('stripe', 'httpx', 'httpcore.http11'): logging.getLogger(name).info('hunter2')") == ""
    assert "hunter2" not in printed("logging.getLogger('stripe').debug('hunter2')", level="DEBUG")
