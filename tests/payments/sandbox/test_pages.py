"""The hosted pages beside Checkout, and creators at Connect."""

import re

import pytest

from infra.errors import FootlightError
from payments.stripe.refusals import final_refusal
from tests.payments.sandbox.buying import customer, paid_once, subscribed
from tests.payments.sandbox.running import Running

BACK = "http://localhost:1/studio/earnings"


async def creator(sandbox: Running) -> str:
    return (await sandbox.calls.create_account("cleo", "cleo@example.com", "DE", key="account")).id


async def onboarding(sandbox: Running, account_id: str) -> str:
    link = await sandbox.calls.link_to_onboarding(
        account_id, return_url=BACK + "?account=done", refresh_url=BACK + "?account=again"
    )
    return link.url


async def test_the_portal_cancels_and_resumes(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada)
    visit = await sandbox.calls.open_portal(ada, "http://localhost:1/settings")
    assert "http://localhost:1/settings" in (await sandbox.http.get(visit.url)).text
    for action, ends in (("cancel", True), ("resume", False)):
        done = await sandbox.http.post(visit.url, data={"action": f"{action}:{sub.id}"})
        assert done.status_code == 303
        assert (await sandbox.calls.subscription(sub.id)).cancel_at_period_end == ends
        assert 'role="status"' in (await sandbox.http.get(done.headers["location"])).text


async def test_the_portal_of_one_does_nothing_to_another(sandbox: Running) -> None:
    ada, eve = await customer(sandbox), await customer(sandbox, "eve")
    sub = await subscribed(sandbox, ada)
    visit = await sandbox.calls.open_portal(eve, "http://localhost:1/")
    assert (await sandbox.http.post(visit.url, data={"action": f"cancel:{sub.id}"})).status_code == 404
    assert (await sandbox.http.get(visit.url[:-1] + "x")).status_code == 404
    assert not (await sandbox.calls.subscription(sub.id)).cancel_at_period_end


async def test_a_bill_is_a_page_for_who_has_its_address(sandbox: Running) -> None:
    sub = await subscribed(sandbox, await customer(sandbox))
    invoice = await sandbox.calls.invoice(sub.latest_invoice or "")
    page = await sandbox.http.get(invoice.hosted_invoice_url or "")
    assert invoice.number is not None
    assert invoice.number in page.text
    assert "€4.99" in page.text
    assert (await sandbox.http.get(f"/invoices/{invoice.id}")).status_code == 404


async def test_a_creator_who_finished_can_be_paid(sandbox: Running) -> None:
    account_id = await creator(sandbox)
    before = await sandbox.calls.account(account_id)
    assert (before.payouts_enabled, before.details_submitted) == (False, False)
    assert before.requirements is not None
    assert before.requirements.currently_due
    url = await onboarding(sandbox, account_id)
    assert "Get paid by Footlight" in (await sandbox.http.get(url)).text
    done = await sandbox.http.post(url, data={"outcome": "done"})
    assert done.headers["location"] == BACK + "?account=done"
    after = await sandbox.calls.account(account_id)
    assert (after.payouts_enabled, after.details_submitted) == (True, True)
    events = await sandbox.api.v1.events.list_async({"type": "account.updated"})
    assert [one.account for one in events.data] == [account_id]
    assert (await sandbox.http.get(url)).headers["location"] == BACK + "?account=again"


async def test_who_leaves_onboarding_is_no_further(sandbox: Running) -> None:
    account_id = await creator(sandbox)
    url = await onboarding(sandbox, account_id)
    await sandbox.http.get(url)
    assert (await sandbox.http.post(url, data={"outcome": "later"})).headers["location"] == BACK + "?account=done"
    assert not (await sandbox.calls.account(account_id)).details_submitted


async def test_money_goes_to_who_may_have_it_and_is_there(sandbox: Running) -> None:
    account_id = await creator(sandbox)
    with pytest.raises(FootlightError) as refused:
        await sandbox.calls.create_transfer(account_id, 100, "eur", {}, key="1")
    assert final_refusal(refused.value) == "insufficient_capabilities_for_transfer"
    url = await onboarding(sandbox, account_id)
    await sandbox.http.get(url)
    await sandbox.http.post(url, data={"outcome": "done"})
    with pytest.raises(FootlightError) as refused:
        await sandbox.calls.create_transfer(account_id, 100, "eur", {}, key="2")
    assert final_refusal(refused.value) == "balance_insufficient"
    await sandbox.do("balance", amount=1000)
    sent = await sandbox.calls.create_transfer(account_id, 900, "eur", {"footlight_payout": "p"}, key="3")
    again = await sandbox.calls.create_transfer(account_id, 900, "eur", {"footlight_payout": "p"}, key="3")
    assert (sent.id, sent.metadata) == (again.id, {"footlight_payout": "p"})
    assert [one.id async for one in sandbox.calls.lists.transfers(destination=account_id)] == [sent.id]
    await sandbox.api.v1.transfers.reversals.create_async(sent.id)
    back = await sandbox.calls.transfer(sent.id)
    assert (back.reversed, back.amount_reversed) == (True, 900)
    assert (await sandbox.api.v1.balance.retrieve_async()).available[0].amount == 1000


async def test_an_account_that_stripe_stops_is_told(sandbox: Running) -> None:
    account_id = await creator(sandbox)
    await sandbox.do(f"accounts/{account_id}/restrict")
    stopped = await sandbox.calls.account(account_id)
    assert stopped.requirements is not None
    assert (stopped.payouts_enabled, stopped.requirements.disabled_reason) == (False, "requirements.past_due")


async def test_a_country_that_stripe_does_not_pay_to_is_refused(sandbox: Running) -> None:
    with pytest.raises(FootlightError) as refused:
        await sandbox.calls.create_account("x", "x@example.com", "ZZ", key="1")
    assert final_refusal(refused.value) == "country_unsupported"


async def test_the_index_lets_time_pass_and_disputes(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada)
    paid = await paid_once(sandbox, ada)
    assert sub.id in (await sandbox.http.get("/")).text
    for form in (
        {"action": "advance", "id": ada, "seconds": "2678400"},
        {"action": "dispute", "id": paid},
    ):
        done = await sandbox.http.post("/do", data=form)
        assert done.headers["location"].startswith("/?done=")
    assert (await sandbox.calls.subscription(sub.id)).item.current_period_end > sub.item.current_period_end
    (dispute,) = [one.id async for one in sandbox.calls.lists.disputes(payment_intent=paid)]
    await sandbox.http.post("/do", data={"action": "won", "id": dispute})
    assert (await sandbox.calls.dispute(dispute)).status == "won"
    again = await sandbox.http.post("/do", data={"action": "won", "id": dispute})
    assert "failed=" in again.headers["location"]
    assert "is won already" in (await sandbox.http.get(again.headers["location"])).text


async def test_every_input_has_a_label_and_nothing_is_shown_unescaped(sandbox: Running) -> None:
    evil = "<script>alert(1)</script>"
    made = await sandbox.calls.create_customer("m", f"{evil}@example.com", evil, key="m")
    await subscribed(sandbox, made.id)
    await paid_once(sandbox, made.id)
    visit = await sandbox.calls.open_portal(made.id, "javascript:alert(1)")
    opened = await sandbox.api.v1.checkout.sessions.list_async({"status": "complete"})
    for url in ("/", visit.url, f"/checkout/{opened.data[0].id}"):
        page = await sandbox.http.get(url)
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert evil not in page.text
        assert "javascript:" not in page.text
        for name in re.findall(r'<input id="([^"]+)"', page.text):
            assert f'<label for="{name}">' in page.text
