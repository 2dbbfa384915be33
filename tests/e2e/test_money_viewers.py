"""Paying in a real browser, at the sandbox: subscribe and watch, be refused, give, pay for a message, cancel."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Person
from tests.e2e.test_desk import SLOW_MS, on_stage
from tests.e2e.test_story import playing
from tests.e2e.videos import Arrive, ask, become_creator, film, made, until_api, uploaded

pytestmark = pytest.mark.timeout(240)

PAYS, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"


@pytest.fixture(scope="session")
def short_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("sold") / "short.mp4", 12, "320x180")


async def type_card(page: Page, number: str) -> None:
    """On the sandbox's payment page, which says that it is not Stripe."""
    await expect(page.get_by_text("This is not Stripe").first).to_be_visible()
    await page.get_by_label("Card number").fill(number)
    await page.get_by_label("Expiry").fill("12 / 34")
    await page.get_by_label("Security code").fill("123")
    await page.get_by_role("button", name=re.compile("^(Pay|Subscribe)")).click()


async def pays(person: Person, title: str) -> None:
    await type_card(person.page, PAYS)
    await expect(person.see("payment")).to_have_attribute("data-state", "paid", timeout=SLOW_MS)
    await expect(person.page.get_by_role("heading", name=title)).to_be_visible()


async def in_room(person: Person, stream_id: str) -> None:
    await person.go(f"/watch/{stream_id}")
    await expect(person.see("chat")).to_have_attribute("data-joined", "true", timeout=SLOW_MS)


async def test_premium_opens_what_was_refused_and_is_canceled_and_resumed(arrive: Arrive, short_film: Path) -> None:
    creator, viewer = await arrive(), await arrive(390, 844)
    await become_creator(creator, "Hedy")
    video_id = await uploaded(creator, short_film)
    await made(creator, video_id)
    await ask(creator, f"/videos/{video_id}", "PATCH", {"visibility": "premium"})
    await until_api(creator, f"/videos/{video_id}", lambda video: video["visibility"] == "premium")

    # Refused, and led to the plans; there the plan, the card, and back to the very video, which plays now.
    await viewer.sign_up("Mileva")
    await viewer.go(f"/video/{video_id}")
    await expect(viewer.see("refused")).to_have_attribute("data-code", "playback.premium", timeout=SLOW_MS)
    other_tab = Person(viewer.context, await viewer.context.new_page(), viewer.home)
    await other_tab.go(f"/video/{video_id}")
    await other_tab.see("refused").wait_for()
    await viewer.see("to-premium").click()
    await viewer.see("plan-premium-monthly").get_by_test_id("subscribe").click()
    await pays(viewer, "You are subscribed")
    await viewer.see("onward").click()
    await playing(viewer)
    await expect(other_tab.see("refused")).to_have_count(0)  # it heard of it and asked anew
    await other_tab.page.close()
    await viewer.go("/premium")
    await expect(viewer.see("plan-premium-monthly")).to_contain_text("Your plan")
    await expect(viewer.see("get-premium")).to_have_count(0)

    # Canceled: it says until when; taken back: it renews as before. The bill is there.
    await viewer.go("/account#subscriptions")
    mine = viewer.see("subscription")
    await expect(mine).to_have_attribute("data-kind", "renews")
    await viewer.see("cancel").click()
    await expect(viewer.page.get_by_role("dialog")).to_contain_text("You keep everything until")
    await viewer.see("confirm").click()
    await expect(mine).to_have_attribute("data-kind", "ends")
    assert (await ask(viewer, "/auth/me"))["subscription_tier"] == "premium"
    await viewer.see("resume").click()
    await expect(mine).to_have_attribute("data-kind", "renews")
    await viewer.see("show-invoices").click()
    await expect(viewer.see("invoice")).to_have_count(1)

    # To the yearly plan, for what the preview said.
    await viewer.see("change-plan").click()
    await expect(viewer.see("preview")).to_contain_text("Due now")
    await viewer.see("confirm-change").click()
    await expect(mine).to_have_attribute("data-plan", "premium-yearly")


async def test_a_declined_card_says_so_and_changes_nothing(arrive: Arrive) -> None:
    viewer = await arrive()
    await viewer.sign_up("Ida")
    await viewer.go("/premium")
    await viewer.see("plan-premium-yearly").get_by_test_id("subscribe").click()
    await type_card(viewer.page, DECLINED)
    await expect(viewer.page.get_by_text("Your card was declined")).to_be_visible()
    payment_page = viewer.page.url
    await viewer.page.get_by_role("link", name="Back to Footlight").first.click()
    await expect(viewer.see("payment")).to_have_attribute("data-state", "left")
    await expect(viewer.see("payment")).to_contain_text("Nothing was charged")
    assert (await ask(viewer, "/subscription"))["subscription"] is None
    assert (await ask(viewer, "/auth/me"))["subscription_tier"] == "free"

    # Once more from the plans, and twice as quick: it is the same page, and another card pays it.
    await viewer.go("/premium")
    await viewer.see("plan-premium-yearly").get_by_test_id("subscribe").dblclick()
    await viewer.page.wait_for_url(payment_page)
    await pays(viewer, "You are subscribed")
    assert len((await ask(viewer, "/subscriptions"))["subscriptions"]) == 1


async def test_a_paid_message_and_gifts_appear_in_the_chat_of_everybody(arrive: Arrive) -> None:
    creator, giver, other = await arrive(), await arrive(), await arrive(390, 844)
    await creator.sign_up("Clara")
    await giver.sign_up("Nettie")
    await other.sign_up("Vera")
    async with on_stage(creator) as stream_id:
        me = await ask(creator, "/auth/me")
        term = {"text": "spoiler", "kind": "blocked", "action": "refuse", "public": True}
        await ask(creator, f"/channels/{me['id']}/terms", "POST", term)
        await in_room(other, stream_id)
        await in_room(giver, stream_id)
        await _says_for_money(giver, other)
        await in_room(giver, stream_id)
        await _gives_to_the_room(giver, other)
        await in_room(other, stream_id)
        await expect(other.see("subscribe-channel")).to_contain_text("Tier 1")


async def _says_for_money(giver: Person, other: Person) -> None:
    await giver.see("support-menu").click()
    await giver.see("open-paid-message").click()
    # What the channel does not take is said before anything is paid.
    await giver.see("paid-text").fill("The spoiler: she lives")
    await giver.see("go-pay").click()
    await expect(giver.page.get_by_role("alert")).to_contain_text("Nothing was charged")
    await expect(giver.see("paid-text")).to_have_attribute("aria-invalid", "true")
    await giver.see("paid-text").fill("For the tea, and the songs")
    await giver.page.get_by_role("button", name="€10", exact=True).click()
    await expect(giver.see("on-top")).to_contain_text("1 minute")
    await giver.see("go-pay").click()
    await pays(giver, "Your message is paid")
    line = other.see("chat-list").get_by_test_id("chat-line").filter(has_text="For the tea")
    await expect(line.get_by_test_id("line-amount")).to_contain_text("10.00")
    await expect(other.see("on-top-card")).to_contain_text("Nettie")
    await expect(giver.see("message-outcome")).to_contain_text("in the chat", timeout=SLOW_MS)


async def _gives_to_the_room(giver: Person, other: Person) -> None:
    await giver.see("support-menu").click()
    await giver.see("open-gift").click()
    await expect(giver.see("gift-total")).to_contain_text("4.99")
    await giver.see("go-pay").click()
    await pays(giver, "Your gift is paid")
    gift = other.see("chat-list").get_by_test_id("chat-line").filter(has_text="gave a tier 1 subscription")
    await expect(gift).to_contain_text("Nettie", timeout=SLOW_MS)
    await until_api(other, "/gifts/received", lambda it: [one["state"] for one in it["gifts"]] == ["taken"])
    await expect(gift).to_contain_text("It is yours!")
    await other.go("/account#subscriptions")
    await expect(other.see("gift-received")).to_contain_text("You have it until")
