"""Being paid, in a real browser: a creator sets payouts up, is subscribed to, is paid; administrators look after it.

Payments go through the sandbox that stands in for Stripe. What takes days is done by `money.py`.
"""

import re

import pytest
from playwright.async_api import Locator, expect

from loadtest.stack import Stack
from tests.e2e.conftest import PASSWORD, Person
from tests.e2e.money import a_week_passes, make_admin, onboard, subscribe, ten_minutes_pass
from tests.e2e.videos import Arrive, ask, become_creator, until_api

pytestmark = pytest.mark.timeout(240)
# An open dashboard asks every 20 s; a payout goes out with the worker's next turn.
BY_ITSELF_MS = 60_000
TIER_3, SHARE = "€24.99", "€17.49"


async def enter_password(person: Person) -> None:
    await expect(person.see("fresh-sign-in")).to_be_visible()
    await person.page.get_by_label("Your password", exact=True).fill(PASSWORD)
    await person.see("confirm-password").click()
    await expect(person.see("fresh-sign-in")).to_be_hidden()


async def new_admin(arrive: Arrive, stack: Stack, name: str) -> Person:
    """Who signed in a while ago."""
    admin: Person = await arrive()
    await admin.sign_up(name)
    await make_admin(stack, admin)
    await ten_minutes_pass(stack, admin)
    await admin.go("/")
    return admin


async def look_up(admin: Person, text: str) -> Locator:
    await admin.page.get_by_label("Customer").fill(text)
    await admin.see("look-up").click()
    found: Locator = admin.see("customer")
    return found


async def looks_again(person: Person) -> None:
    """Comes back to the window: an open page asks at once."""
    await person.page.evaluate("dispatchEvent(new Event('focus'))")


async def id_of(person: Person) -> str:
    return str((await ask(person, "/auth/me"))["id"])


async def shown_by_keyboard(creator: Person) -> None:
    """Today is read out, and the day before."""
    cursor = creator.see("days-cursor")
    await cursor.focus()
    await expect(cursor).to_have_attribute("aria-valuetext", re.compile("€34.98 from subscriptions, 2 new subscribers"))
    await cursor.press("ArrowLeft")
    await expect(cursor).to_have_attribute("aria-valuetext", re.compile("nothing earned"))
    await expect(creator.see("days-tip")).to_be_visible()


async def refund(admin: Person, stack: Stack, customer: Locator) -> None:
    """All of it. The sign-in has become old meanwhile, so the password is asked for, and then it is done."""
    await customer.get_by_test_id("refund").click()
    await admin.page.get_by_label("Reason").fill("Bought by mistake")
    await admin.see("refund-next").click()
    await expect(admin.see("refund-amount")).to_have_text(TIER_3)
    await ten_minutes_pass(stack, admin)
    await admin.see("confirm").click()
    await enter_password(admin)
    await expect(admin.see("payment-row").first).to_contain_text("Given back")
    await expect(admin.page.locator('[data-testid="deed"][data-action="refund"]').first).to_contain_text("mistake")


async def test_a_creator_earns_is_paid_and_sees_what_an_admin_gave_back(arrive: Arrive, stack: Stack) -> None:
    creator, first, second = await arrive(), await arrive(), await arrive(390, 844)
    await become_creator(creator, "Hedy")
    creator_id = await id_of(creator)

    # Nothing yet, and it says what to do: say to Stripe who one is, and come back.
    await creator.page.get_by_role("link", name="Earnings").click()
    await expect(creator.see("payout-account")).to_have_attribute("data-state", "none")
    await expect(creator.see("days-empty")).to_be_visible()
    await expect(creator.see("ask-payout")).to_be_disabled()
    await onboard(creator)
    assert "account=" not in creator.page.url

    # Two people subscribe; the dashboard that is open shows it by itself.
    await first.sign_up("Fritz")
    await subscribe(first, creator_id, 3)
    await second.sign_up("George")
    await subscribe(second, creator_id, 3)
    await expect(creator.see("balance-pending")).to_have_text("€34.98", timeout=BY_ITSELF_MS)
    await expect(creator.see("balance-available")).to_have_text("€0.00")
    await expect(creator.see("sum-net")).to_have_text("€34.98")
    await expect(creator.see("sum-gained")).to_have_text("+2")
    await expect(creator.see("supporter")).to_have_count(2)
    await shown_by_keyboard(creator)

    # A week later it can be paid out; two clicks ask once.
    await a_week_passes(stack)
    await creator.page.reload()
    await creator.see("ask-payout").click()
    await expect(creator.see("payout-amount")).to_have_text("€34.98")
    await creator.see("confirm").dblclick()
    sent = creator.page.locator('[data-testid="payout"][data-state="sent"]')
    await expect(sent).to_have_count(1, timeout=BY_ITSELF_MS)
    await expect(creator.see("payout")).to_have_count(1)
    await expect(creator.see("balance-paid")).to_have_text("€34.98")

    # An administrator gives one of the payments back, and the creator had been paid for it already: that is a debt.
    admin = await new_admin(arrive, stack, "Rosalind")
    await admin.see("user-menu").click()
    await admin.see("admin-payments").click()
    await enter_password(admin)
    customer = await look_up(admin, first.email)
    await expect(customer).to_contain_text("Fritz")
    await refund(admin, stack, customer)
    await looks_again(creator)
    await expect(creator.see("debt")).to_contain_text(SHARE)
    await expect(creator.see("sum-net")).to_have_text(SHARE)

    # The statement of the month has all of it.
    async with creator.page.expect_download() as saving:
        await creator.see("statement-csv").first.click()
    statement = (await (await saving.value).path()).read_text()
    assert [word for word in ("payment", "payout_sent", "refund") if word not in statement] == []


async def test_an_admin_gives_a_subscription_and_stops_payouts(arrive: Arrive, stack: Stack) -> None:
    creator, viewer = await arrive(), await arrive()
    await become_creator(creator, "Joan")
    await creator.page.get_by_role("link", name="Earnings").click()
    await onboard(creator)
    await viewer.sign_up("Alan")

    # The desk is nowhere for others.
    await viewer.see("user-menu").click()
    await expect(viewer.see("signout")).to_be_visible()
    await expect(viewer.see("admin-payments")).to_have_count(0)
    await viewer.go("/admin/payments")
    await expect(viewer.see("not-found")).to_be_visible()

    admin = await new_admin(arrive, stack, "Dorothy")
    await admin.go(f"/admin/payments?q={viewer.email}")
    await enter_password(admin)
    await admin.see("comp").click()
    await admin.page.get_by_label("What", exact=True).select_option(label="Premium")
    await admin.page.get_by_label("For how many days").fill("7")
    await admin.page.get_by_label("Reason").fill("For the trouble")
    await admin.see("confirm").click()
    await expect(admin.see("right-row")).to_contain_text("Given by support")
    await until_api(viewer, "/auth/me", lambda me: me["subscription_tier"] == "premium")
    await admin.see("end-comp").click()
    await admin.page.get_by_label("Reason").fill("Once was enough")
    await admin.see("confirm").click()
    await expect(admin.see("end-comp")).to_have_count(0)
    await until_api(viewer, "/auth/me", lambda me: me["subscription_tier"] == "free")

    # Payouts stop, and go on.
    await look_up(admin, creator.email)
    await admin.see("freeze").click()
    await admin.page.get_by_label("Reason").fill("Somebody else's cards")
    await admin.see("confirm").click()
    await expect(admin.see("payouts-desk")).to_have_attribute("data-frozen", "true")
    account = creator.see("payout-account")
    await looks_again(creator)
    await expect(account).to_have_attribute("data-state", "frozen")
    await expect(account).not_to_contain_text("cards")
    await admin.see("unfreeze").click()
    await admin.page.get_by_label("Reason").fill("They were theirs")
    await admin.see("confirm").click()
    await expect(admin.see("payouts-desk")).to_have_attribute("data-frozen", "false")
    await looks_again(creator)
    await expect(account).to_have_attribute("data-state", "ready")
