"""What is bought in tests: the pages that `payments/pages.py` asks for, for a customer of the sandbox."""

from stripe.params.checkout import SessionCreateParams

from payments.plans import load_plans
from payments.stripe.shapes import Checkout, Subscription
from tests.payments.sandbox.running import Running

RETURN = "http://localhost:1/orders/"


async def customer(sandbox: Running, user: str = "ada") -> str:
    return (await sandbox.calls.create_customer(user, f"{user}@example.com", user.title(), key=f"customer:{user}")).id


async def price(sandbox: Running, plan_id: str = "premium-monthly") -> str:
    found = await sandbox.calls.price_of(plan_id)
    return (found or await sandbox.calls.create_price(load_plans().get(plan_id), key=f"price:{plan_id}")).id


async def subscription_page(
    sandbox: Running, customer_id: str, plan_id: str = "premium-monthly", *, key: str = "order:1", trial_days: int = 0
) -> Checkout:
    wanted: SessionCreateParams = {
        "customer": customer_id, "client_reference_id": "order-1", "metadata": {"footlight_order": "1"},
        "success_url": RETURN + "1", "cancel_url": RETURN + "1?left=1", "mode": "subscription",
        "line_items": [{"price": await price(sandbox, plan_id), "quantity": 1}],
        "subscription_data": {"metadata": {"footlight_order": "1"}},
    }  # fmt: skip
    if trial_days:
        wanted["subscription_data"]["trial_period_days"] = trial_days
    return await sandbox.calls.create_checkout(wanted, key=key)


async def payment_page(sandbox: Running, customer_id: str, amount: int = 1000, *, key: str = "order:2") -> Checkout:
    wanted: SessionCreateParams = {
        "customer": customer_id, "success_url": RETURN + "2", "cancel_url": RETURN + "2?left=1", "mode": "payment",
        "metadata": {"footlight_order": "2"},
        "line_items": [{"quantity": 2, "price_data": {
            "currency": "eur", "unit_amount": amount, "product_data": {"name": "A gift"}, "tax_behavior": "exclusive",
        }}],
        "payment_intent_data": {"metadata": {"footlight_order": "2"}},
    }  # fmt: skip
    return await sandbox.calls.create_checkout(wanted, key=key)


async def subscribed(
    sandbox: Running, customer_id: str, plan_id: str = "premium-monthly", number: str = "4242424242424242"
) -> Subscription:
    page = await subscription_page(sandbox, customer_id, plan_id, key=f"order:{customer_id}:{plan_id}")
    paid = await sandbox.pay(page.id, number)
    return await sandbox.calls.subscription(paid["subscription"])


async def paid_once(sandbox: Running, customer_id: str, number: str = "4242424242424242") -> str:
    """The payment's id."""
    page = await payment_page(sandbox, customer_id, key=f"gift:{customer_id}")
    paid = await sandbox.pay(page.id, number)
    return str(paid["payment_intent"])
