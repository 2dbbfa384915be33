"""Events reach who listens: signed as Stripe signs, again until they are taken, also after a kill -9."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import stripe

from gateway.cli import parser
from gateway.commands.sandbox import options_of
from infra.local.parts import free_port
from payments.errors import StripeUnavailable
from payments.sandbox.deliveries import pause_after
from payments.sandbox.errors import CannotStart
from tests.payments.sandbox.buying import customer, paid_once, payment_page, subscribed
from tests.payments.sandbox.receiving import Receiver, open_receiver
from tests.payments.sandbox.running import KEY, SECRET, Running, open_client, open_running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        yield receiver


async def undelivered(sandbox: Running) -> set[str]:
    return {one.type async for one in sandbox.calls.lists.undelivered()}


async def test_events_are_signed_as_stripe_signs(tmp_path: Path, receiver: Receiver) -> None:
    async with open_running(tmp_path / "s", webhook_url=receiver.url) as sandbox:
        sub = await subscribed(sandbox, await customer(sandbox))
        told = await receiver.until("customer.subscription.created")
        await receiver.until("checkout.session.completed")
        assert told.object_id == sub.id
        for body, signature in receiver.requests:
            event = stripe.Webhook.construct_event(body.decode(), signature, SECRET)
            assert event.api_version == stripe.api_version
            with pytest.raises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(body.decode() + " ", signature, SECRET)
        types = {one.type for one in receiver.taken}
        assert {
            "customer.created",
            "price.created",
            "invoice.paid",
            "charge.succeeded",
            "payment_intent.succeeded",
        } <= types


async def test_what_is_refused_is_sent_again_until_it_is_taken(tmp_path: Path, receiver: Receiver) -> None:
    receiver.refusing = 1
    async with open_running(tmp_path / "s", webhook_url=receiver.url) as sandbox:
        await customer(sandbox)
        await receiver.until("customer.created")
        assert len(receiver.requests) == 2
        bodies = {body for body, _ in receiver.requests}
        assert len(bodies) == 1
        while await undelivered(sandbox):
            pass  # its answer is on its way


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause_after(attempts) for attempts in (0, 1, 2, 11, 12, 500)] == [1, 2, 4, 2048, 3600, 3600]


async def test_webhooks_that_are_off_are_kept_and_sent_when_they_are_on(tmp_path: Path, receiver: Receiver) -> None:
    async with open_running(tmp_path / "s", webhook_url=receiver.url) as sandbox:
        await sandbox.switch_webhooks(on=False)
        await customer(sandbox)
        assert await undelivered(sandbox) == {"customer.created"}
        assert receiver.requests == []
        await sandbox.switch_webhooks(on=True)
        told = await receiver.until("customer.created")
        await sandbox.do(f"events/{told.event_id}/resend")
        await receiver.until("customer.created", 2)


async def test_what_is_due_happens_as_time_goes_by(tmp_path: Path, receiver: Receiver) -> None:
    passed = 0.0
    async with open_running(tmp_path / "s", webhook_url=receiver.url, now=lambda: time.time() + passed) as sandbox:
        ada = await customer(sandbox)
        sub = await subscribed(sandbox, ada)
        page = await payment_page(sandbox, ada)
        await receiver.until("invoice.paid")
        receiver.ahead = timedelta(days=32)
        passed = receiver.ahead.total_seconds()
        assert (await receiver.until("checkout.session.expired")).object_id == page.id
        await receiver.until("invoice.paid", 2)
        renewed = await sandbox.calls.subscription(sub.id)
        assert renewed.item.current_period_start == sub.item.current_period_end


@asynccontextmanager
async def process(file: Path, port: int, webhook_url: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """`footlight sandbox`, as an operator starts it."""
    command = [sys.executable, "-m", "gateway", "sandbox", "--data", str(file), "--port", str(port)]
    command += ["--webhook-url", webhook_url] if webhook_url else []
    environment = {**os.environ, "FOOTLIGHT_STRIPE_SECRET_KEY": KEY, "FOOTLIGHT_STRIPE_WEBHOOK_SECRETS": SECRET}
    child = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient() as http:
            while not await _answers(http, f"http://127.0.0.1:{port}/livez"):
                assert child.returncode is None
                await asyncio.sleep(0.02)
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


async def test_a_killed_process_loses_nothing_and_stops_when_it_is_told_to(tmp_path: Path, receiver: Receiver) -> None:
    port, file = free_port(), tmp_path / "state.sqlite"
    async with process(file, port, receiver.url) as first, open_client(f"http://127.0.0.1:{port}") as sandbox:
        await sandbox.switch_webhooks(on=False)
        payment = await paid_once(sandbox, await customer(sandbox))
        await sandbox.do("faults", kind="hang", seconds=60, done=True, count=1)
        asked = asyncio.create_task(sandbox.calls.refund_payment(payment, 100, key="r"))
        while (await sandbox.http.get("/_sandbox/faults")).json():
            pass  # what was asked for is done when the fault is used up
        first.send_signal(signal.SIGKILL)
        await first.wait()
        with pytest.raises(StripeUnavailable):
            await asked
    async with process(file, port, receiver.url) as second, open_client(f"http://127.0.0.1:{port}") as sandbox:
        assert (await sandbox.calls.payment(payment)).status == "succeeded"
        again = await sandbox.calls.refund_payment(payment, 100, key="r")
        assert [one.id async for one in sandbox.calls.lists.refunds(payment_intent=payment)] == [again.id]
        await sandbox.switch_webhooks(on=True)
        await receiver.until("payment_intent.succeeded")
        await receiver.until("refund.created")
        second.send_signal(signal.SIGTERM)
        assert await second.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        (["--host", "0.0.0.0"], KEY, "can be reached by others"),  # noqa: S104 - it must refuse this
        ([], "sk_live_real", "never a real one"),
        (["--webhook-url", "http://127.0.0.1:1/", "--webhook-secret-env", "NOT_SET"], KEY, "set NOT_SET"),
    ],
)
def test_it_refuses_to_start_where_it_could_be_mistaken(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], key: str, said: str
) -> None:
    monkeypatch.setenv("FOOTLIGHT_STRIPE_SECRET_KEY", key)
    with pytest.raises(CannotStart, match=said):
        options_of(parser().parse_args(["sandbox", *arguments]))
