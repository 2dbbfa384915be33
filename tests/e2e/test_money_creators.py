"""Earning in a real browser, at the sandbox: set payouts up, be paid, and see what administrators do about it."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from loadtest.stack import Stack
from tests.e2e.conftest import Person
from tests.e2e.passing import earnings_ripen, sign_ins_grow_old
from tests.e2e.test_desk import SLOW_MS
from tests.e2e.test_money_viewers import pays
from tests.e2e.test_videos import grant
from tests.e2e.videos import Arrive, ask, become_creator, until_api

pytestmark = pytest.mark.timeout(240)

# Of 24.99 a month 70 % are the creator's: 17.49, twice.
SHARE, BOTH, PRICE = "17.49", "34.98", "24.99"


async def onboard(creator: Person) -> None:
    """At the sandbox, and back."""
    await creator.go("/studio/earnings")
    await creator.page.get_by_label("Your country").select_option("DE")
    await creator.see("onboard").click()
    await creator.page.get_by_role("button", name="Agree and finish").click()
    await expect(creator.see("payout-account")).to_have_attribute("data-state", "ready", timeout=SLOW_MS)
    await expect(creator.page).to_have_url(f"{creator.home}/studio/earnings")


async def subscribe(viewer: Person, channel_id: str) -> None:
    """To the highest tier."""
    await viewer.go(f"/creators/{channel_id}")
    await viewer.see("subscribe-channel").click()
    await viewer.page.get_by_role("radio", name="Tier 3").check()
    await viewer.see("go-pay").click()
    await pays(viewer, "You are subscribed")


async def downloaded(page: Page, test_id: str) -> bytes:
    async with page.expect_download() as caught:
        await page.get_by_test_id(test_id).first.click()
    download = await caught.value
    return await asyncio.to_thread(Path(await download.path()).read_bytes)


async def give_password(admin: Person) -> None:
    await admin.page.get_by_label("Your password", exact=True).fill("a long enough pass phrase")
    await admin.see("confirm-password").click()
    await expect(admin.see("fresh-sign-in")).to_have_count(0)


async def appointed(person: Person, stack: Stack, name: str) -> None:
    """Signs up, and an operator makes an administrator of them."""
    await person.sign_up(name)
    await grant(stack, person.email, "admin")
    await until_api(person, "/auth/me", lambda me: me["role"] == "admin")


async def the_days_read(creator: Person) -> None:
    """The chart by keyboard; its days as a file; the month as a statement."""
    days = creator.see("days-cursor")
    await days.press("End")
    await expect(days).to_have_attribute("aria-valuetext", re.compile(f"{BOTH} from subscriptions, 2 new subscribers"))
    await expect(creator.see("days-tip")).to_be_visible()
    await days.press("ArrowLeft")
    await expect(days).to_have_attribute("aria-valuetext", re.compile("nothing earned"))
    assert f",EUR,{BOTH},0.00,0.00,0.00,{BOTH},".encode() in await downloaded(creator.page, "export-csv")
    assert (await downloaded(creator.page, "statement-pdf")).startswith(b"%PDF")
    assert SHARE.encode() in await downloaded(creator.page, "statement-csv")


async def refunded(admin: Person, stack: Stack, customer: Person) -> None:
    """Their one payment, all of it. The desk needs a fresh sign-in; one that gets too old is asked for, and goes on."""
    admin_id = (await ask(admin, "/auth/me"))["id"]
    await sign_ins_grow_old(stack, admin_id)
    await admin.go("/admin/payments")
    await give_password(admin)
    await admin.page.get_by_role("textbox", name="Customer").fill(customer.email)
    await admin.see("look-up").click()
    await admin.see("refund").click()
    await admin.page.get_by_label("Reason").fill("The stream broke off")
    await admin.see("refund-next").click()
    await expect(admin.see("refund-amount")).to_contain_text(PRICE)
    await sign_ins_grow_old(stack, admin_id)
    await admin.see("confirm").click()
    await give_password(admin)
    await expect(admin.see("payment-row")).to_contain_text("Given back", timeout=SLOW_MS)
    await expect(admin.see("audit").locator('[data-action="refund"]')).to_contain_text("The stream broke off")


async def test_a_creator_earns_is_paid_and_sees_what_was_given_back(arrive: Arrive, stack: Stack) -> None:
    creator, first, second, admin = await arrive(), await arrive(), await arrive(390, 844), await arrive()
    await become_creator(creator, "Nadia")
    channel_id = (await ask(creator, "/auth/me"))["id"]
    await creator.go("/studio/earnings")
    await creator.see("days-empty").wait_for()
    await expect(creator.see("ask-payout")).to_be_disabled()
    await onboard(creator)

    # Somebody subscribes while the page is open, and it shows: what is coming, from whom, on which day.
    await first.sign_up("Lise")
    await subscribe(first, channel_id)
    await expect(creator.see("balance-pending")).to_contain_text(SHARE)
    await expect(creator.see("sum-net")).to_contain_text(SHARE)
    await expect(creator.see("supporter")).to_contain_text(["Lise"])
    await expect(creator.see("payout-problem")).to_contain_text("20.00")
    await second.sign_up("Irene")
    await subscribe(second, channel_id)
    await expect(creator.see("sum-net")).to_contain_text(BOTH)

    await the_days_read(creator)

    # A week later all of it is available, and asked for: two presses are one payout.
    await earnings_ripen(stack, channel_id)
    await expect(creator.see("balance-available")).to_contain_text(BOTH)
    await creator.see("ask-payout").click()
    await expect(creator.see("payout-amount")).to_contain_text(BOTH)
    await creator.see("confirm").dblclick()
    await expect(creator.see("payout")).to_have_attribute("data-state", "sent", timeout=SLOW_MS)
    await expect(creator.see("balance-paid")).to_contain_text(BOTH)
    await expect(creator.see("payout")).to_have_count(1)

    # The desk is there for administrators alone.
    await creator.go("/admin/payments")
    await creator.see("not-found").wait_for()
    await creator.go("/studio/earnings")
    await appointed(admin, stack, "Oskar")
    await refunded(admin, stack, first)

    # The creator sees it: a debt, as it was paid out already, and one subscriber less.
    await expect(creator.see("debt")).to_contain_text(SHARE)
    await expect(creator.see("sum-net")).to_contain_text(SHARE)
    await expect(creator.see("sum-lost")).to_have_text("−1")  # a minus, not a hyphen
    await expect(creator.see("supporter")).to_contain_text(["Irene"])


async def test_an_administrator_stops_payouts_and_gives_a_subscription(arrive: Arrive, stack: Stack) -> None:
    creator, viewer, admin = await arrive(390, 844), await arrive(), await arrive(390, 844)
    await become_creator(creator, "Emmy")
    channel_id = (await ask(creator, "/auth/me"))["id"]
    await onboard(creator)
    await viewer.sign_up("Marie")
    await appointed(admin, stack, "Felix")

    # From the menu, by the id of the creator; the creator sees that payouts are stopped, not why.
    await admin.go("/")
    await admin.see("user-menu").click()
    await admin.see("admin-payments").click()
    await admin.page.get_by_role("textbox", name="Customer").fill(channel_id)
    await admin.see("look-up").click()
    await admin.see("freeze").click()
    await admin.page.get_by_label("Reason").fill("A stolen card")
    await admin.see("confirm").click()
    await admin.see("unfreeze").wait_for()
    await expect(creator.see("payout-account")).to_have_attribute("data-state", "frozen")
    await expect(creator.page.get_by_text("A stolen card")).to_have_count(0)
    await admin.see("unfreeze").click()
    await admin.page.get_by_label("Reason").fill("It was theirs")
    await admin.see("confirm").click()
    await expect(creator.see("payout-account")).to_have_attribute("data-state", "ready")

    # A subscription for thirty days that nobody pays; it counts at once, and is taken back.
    await admin.page.get_by_role("textbox", name="Customer").fill(viewer.email)
    await admin.see("look-up").click()
    await admin.see("comp").click()
    await admin.page.get_by_label("Which subscription").select_option("channel-2")
    await admin.page.get_by_label("Of which channel").fill(f"{admin.home}/creators/{channel_id}")
    await admin.page.get_by_label("Reason").fill("A prize")
    await admin.see("confirm").click()
    await admin.see("end-comp").wait_for()
    await until_api(viewer, "/auth/me", lambda me: me["channels"] == {channel_id: 2})
    await admin.see("end-comp").click()
    await admin.page.get_by_label("Reason").fill("Won by mistake")
    await admin.see("confirm").click()
    await expect(admin.see("end-comp")).to_have_count(0)
    await until_api(viewer, "/auth/me", lambda me: me["channels"] == {})
