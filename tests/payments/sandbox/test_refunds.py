"""What Stripe says of a refund: the key it was asked for under, and when it failed."""

from payments.stripe import shapes
from payments.sync import FAILED_AT
from tests.payments.sandbox.buying import customer, paid_once
from tests.payments.sandbox.running import Running


async def test_a_refund_is_found_by_the_key_it_was_asked_for_under(sandbox: Running) -> None:
    payment = await paid_once(sandbox, await customer(sandbox))
    assert await sandbox.calls.refund_asked_as(payment, "refund:1") is None
    made = await sandbox.calls.refund_payment(payment, 100, key="refund:1")
    other = await sandbox.calls.refund_payment(payment, 100, key="refund:2")
    found = [await sandbox.calls.refund_asked_as(payment, f"refund:{number}") for number in (1, 2)]
    assert [one and one.id for one in found] == [made.id, other.id]


async def test_a_refund_that_failed_says_when(sandbox: Running) -> None:
    payment = await paid_once(sandbox, await customer(sandbox))
    made = await sandbox.calls.refund_payment(payment, 100, key="refund:1")
    await sandbox.do(f"refunds/{made.id}/fail")
    [failed] = [one async for one in sandbox.calls.lists.refunds(payment_intent=payment, expand=FAILED_AT)]
    assert failed.status == "failed"
    assert isinstance(failed.failure_balance_transaction, shapes.BalanceTransaction)
    assert failed.failure_balance_transaction.amount == 100
