"""`footlight stripe reconcile`: an operator sees what differs, has it mended, and sees nothing any more."""

import argparse
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gateway.commands import stripe as command
from gateway.doctor import examine
from infra.settings import Settings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from infra.stripe_settings import StripeSettings
from payments.errors import PaymentsOff
from payments.stripe import shapes
from tests.payments.life import bought
from tests.payments.shelf_server import ShelfServer
from tests.payments.stripe.scripted import fails, scripted
from tests.payments.stripe.signing import SECRET
from tests.payments.till import Till, open_till

ALL = argparse.Namespace(action="reconcile", mend=False, days=0)
MEND = argparse.Namespace(action="reconcile", mend=True, days=0)


@pytest.fixture
async def till(tmp_path: Path, db: Postgres, redis: Redis) -> AsyncIterator[Till]:
    async with open_till(tmp_path / "keys", db, redis) as till:
        yield till


@pytest.fixture
async def server(till: Till) -> AsyncIterator[ShelfServer]:
    async with scripted(server := ShelfServer(till.shelf)):
        yield server


@pytest.fixture
def settings(node_settings: Settings, server: ShelfServer) -> Settings:
    stripe = StripeSettings(secret_key="sk_test_1", webhook_secrets=(SECRET,), api_base=server.url)
    return replace(node_settings, stripe=stripe)


async def test_what_differs_is_listed_then_mended_then_gone(
    till: Till, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    cleo = await till.world.person("cleo@example.com", "Cleo")
    viewer = await till.world.person()
    order = await till.order(viewer, "channel-2", cleo.user.id)
    bought(till.shelf, order)
    lost = shapes.EventData(object=msgspec.Raw(b'{"id":"in_1"}'))
    till.shelf.put(shapes.Event(id="evt_lost", type="invoice.paid", created=1, data=lost))

    assert await command.run(ALL, settings) == 1
    said = capsys.readouterr().out
    assert "subscription sub_1: it is active, and we have no row of it" in said
    assert "payment pi_1: invoice:in_1:paid is not in the books" in said
    assert f"the order {order.id} is open and should be paid" in said
    assert "undelivered  evt_lost  invoice.paid" in said
    assert await till.books() == []
    assert await till.subscriptions(viewer) == []

    assert await command.run(MEND, settings) == 0
    assert "0 mended" not in capsys.readouterr().out.splitlines()[-1]
    assert [entry.cause for entry in await till.books()] == ["invoice:in_1:paid", "fee:txn_1"]
    assert len(await till.subscriptions(viewer)) == 1
    assert await till.order_state(order) == "paid"

    assert await command.run(ALL, settings) == 0
    assert "0 differences" in capsys.readouterr().out.splitlines()[-1]


async def test_a_subscription_bought_twice_is_for_a_person_to_decide(
    till: Till, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    cleo = await till.world.person("cleo@example.com", "Cleo")
    viewer = await till.world.person()
    for number in (1, 2):
        bought(till.shelf, await till.order(viewer, "channel-2", cleo.user.id))
        twin = till.shelf.objects.pop("sub_1")
        till.shelf.put(msgspec.structs.replace(twin, id=f"sub_{number}"))
        await till.sync.look("subscription", f"sub_{number}")
    assert await command.run(MEND, settings) == 1
    assert "more than one runs for the same" in capsys.readouterr().out


async def test_without_a_key_there_is_nothing_to_compare(node_settings: Settings, db: Postgres, redis: Redis) -> None:
    with pytest.raises(PaymentsOff):
        await command.run(ALL, node_settings)


async def test_the_doctor_knows_how_payments_are(settings: Settings, server: ShelfServer) -> None:
    async def finding(settings: Settings) -> tuple[bool, str]:
        [one] = [one for one in await examine(settings) if one.name == "stripe"]
        return one.ok, one.text

    off = replace(settings, stripe=StripeSettings())
    assert await finding(off) == (True, "off: nothing is sold without FOOTLIGHT_STRIPE_SECRET_KEY")
    deaf = replace(settings, stripe=replace(settings.stripe, webhook_secrets=()))
    assert not (await finding(deaf))[0]
    server.fault = fails(401)
    assert await finding(settings) == (
        False, "payment.stripe_refused: check FOOTLIGHT_STRIPE_SECRET_KEY and _API_BASE"
    )  # fmt: skip
