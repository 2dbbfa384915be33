"""Idempotency keys as Stripe documents them, and the faults that make them needed."""

import asyncio

import httpx
import pytest
import stripe

from payments.errors import StripeUnavailable
from payments.stripe.errors import NoSuchObject
from tests.payments.sandbox.buying import customer, paid_once, payment_page
from tests.payments.sandbox.running import KEY, Running

HEADERS = {"authorization": f"Bearer {KEY}"}


async def post(sandbox: Running, path: str, key: str, **form: str) -> httpx.Response:
    return await sandbox.http.post(f"/v1/{path}", data=form, headers={**HEADERS, "idempotency-key": key})


async def test_the_same_key_and_body_get_the_same_answer(sandbox: Running) -> None:
    first, second = [await post(sandbox, "customers", "k", email="a@example.com") for _ in range(2)]
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]
    assert len((await sandbox.http.get("/v1/customers", headers=HEADERS)).json()["data"]) == 1


async def test_the_same_key_with_another_body_is_an_error(sandbox: Running) -> None:
    await post(sandbox, "customers", "k", email="a@example.com")
    other = await post(sandbox, "customers", "k", email="b@example.com")
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


async def test_a_refusal_is_remembered_but_not_one_for_a_wrong_parameter(sandbox: Running) -> None:
    gone = await post(sandbox, "refunds", "k", payment_intent="pi_none")
    assert (gone.status_code, gone.json()["error"]["code"]) == (400, "resource_missing")
    assert (await post(sandbox, "refunds", "k", payment_intent="pi_none")).headers["idempotent-replayed"] == "true"
    assert (await post(sandbox, "customers", "w", colour="red")).json()["error"]["code"] == "parameter_unknown"
    assert (await post(sandbox, "customers", "w", email="a@example.com")).status_code == 200


async def test_a_key_under_way_is_a_conflict(sandbox: Running) -> None:
    await sandbox.do("faults", kind="hang", seconds=30, count=1)
    hanging = asyncio.create_task(post(sandbox, "customers", "k", email="a@example.com"))
    while (await sandbox.http.get("/_sandbox/faults")).json():
        pass
    conflict = await post(sandbox, "customers", "k", email="a@example.com")
    assert (conflict.status_code, conflict.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    hanging.cancel()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 500},
        {"kind": "error", "status": 500, "done": True},
        {"kind": "busy", "retry_after": 0.1},
        {"kind": "reset"},
        {"kind": "reset", "done": False},
    ],
)
async def test_one_fault_is_got_over_and_the_write_happens_once(sandbox: Running, fault: dict[str, object]) -> None:
    await sandbox.do("faults", **fault, count=1)
    await customer(sandbox)
    assert len((await sandbox.http.get("/v1/customers", headers=HEADERS)).json()["data"]) == 1


async def test_faults_that_stay_are_told_as_an_outage(sandbox: Running) -> None:
    await sandbox.do("faults", kind="error", status=503, path="/v1/refunds")
    paid = await paid_once(sandbox, await customer(sandbox))
    with pytest.raises(StripeUnavailable):
        await sandbox.calls.refund_payment(paid, None, key="r")
    await sandbox.clear_faults()
    assert (await sandbox.http.get("/_sandbox/faults")).json() == []


async def test_lists_come_page_by_page_newest_first(sandbox: Running) -> None:
    ada = await customer(sandbox)
    made = [(await payment_page(sandbox, ada, key=f"p:{number}")).id for number in range(5)]
    assert [one.id async for one in sandbox.calls.lists.checkouts()] == made[::-1]
    first = await sandbox.api.v1.checkout.sessions.list_async({"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (made[:2:-1], True)
    rest = await sandbox.api.v1.checkout.sessions.list_async({"limit": 3, "starting_after": made[3]})
    assert ([one.id for one in rest.data], rest.has_more) == (made[2::-1], False)


async def test_what_is_not_there_is_said_in_stripes_words(sandbox: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_none'") as refused:
        await sandbox.api.v1.customers.retrieve_async("cus_none")
    assert (refused.value.code, refused.value.http_status) == ("resource_missing", 404)
    await paid_once(sandbox, await customer(sandbox))
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await sandbox.api.v1.charges.list_async({"expand": ["data.nothing"]})
    with pytest.raises(NoSuchObject):
        await sandbox.calls.refund_payment("pi_none", None, key="r")
