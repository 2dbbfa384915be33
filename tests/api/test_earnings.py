"""Earnings, payouts and the desk of administrators over HTTP, as docs/api.md has it."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from accounts.accounts import FRESH
from api.app import create_api
from api.payments_admin import PaymentDesk
from gateway.activity import RoomActivity
from infra.clock import new_id, system_clock
from infra.settings import Settings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.live.charts import Charts
from media.live.streams import Streams
from media.live.timeline import Timeline
from payments.earnings import Earnings
from payments.plans import load_plans
from realtime.channel_emotes import ChannelEmotes
from tests.accounts.world import PASSWORD
from tests.api.conftest import ORIGIN, Bearer, Viewers
from tests.media.delivery.passes import playback
from tests.payments.connect import Connect, connect
from tests.payments.desk import Counter, Desk
from tests.payments.earning import Earning, earning
from tests.payments.life import PRICE, TAX, bought
from tests.payments.test_figures import Seen
from tests.payments.till import open_till

API = "/api/v1"


class Shop(NamedTuple):
    """What a test drives, and what stands behind it."""

    client: httpx.AsyncClient
    desk: Desk
    world: Earning
    stripe: Connect

    async def signed_in(self, email: str, role: Any = "creator") -> tuple[str, dict[str, str]]:
        """A user's id, and the headers of their requests."""
        signed = await self.desk.till.world.person(email, email.partition("@")[0].title())
        if role != "free":
            await self.desk.till.world.accounts.grant(email, role)
        return signed.user.id, {"authorization": f"Bearer {signed.access_token}"}

    async def rich(self, creator_id: str, amount_minor: int = 5000) -> None:
        self.world.clock.now = system_clock() - timedelta(days=8)
        await self.world.earn(creator_id, amount_minor)
        self.world.clock.now = system_clock()
        async with self.world.db.connection() as connection:
            await connection.execute(
                "INSERT INTO payout_accounts (creator_id, stripe_account_id, payouts_enabled, created_at, updated_at) "
                "VALUES ($1, 'acct_1', true, now(), now())",
                creator_id,
            )


@pytest.fixture
async def shop(
    keys_folder: Path, db: Postgres, redis: Redis, viewers: Viewers, timeline: Timeline, channel_emotes: ChannelEmotes
) -> AsyncIterator[Shop]:
    async with (
        connect() as stripe,
        earning(db, stripe.url) as world,
        open_till(keys_folder, db, redis, shelf=Counter()) as till,
    ):
        desk = Desk(till, till.shelf)  # type: ignore[arg-type]  # the counter that was put there
        desk.use(till.world.accounts)
        streams = Streams.over(db, redis, till.world.outbox, Settings().live)
        api = create_api(
            accounts=till.world.accounts,
            streams=streams,
            viewers=viewers,
            charts=Charts(streams, timeline, RoomActivity(db, redis)),
            channel_emotes=channel_emotes,
            playback=playback(),
            earnings=Earnings.over(
                db, world.journal, load_plans(), world.creators, world.payouts, streams=Seen(), clock=world.clock
            ),
            payment_desk=PaymentDesk(desk.admin, desk.refunds),
            settings=Settings(),
        )
        world.clock.now = system_clock()
        app = Bearer(api, till.world.accounts)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar and httpx type ASGI differently
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN + API) as client:
            yield Shop(client, desk, world, stripe)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.headers["cache-control"] == "no-store"
    details: dict[str, Any] = answer.json()["error"]["details"]
    return details


async def test_nobody_sees_earnings_without_signing_in(shop: Shop) -> None:
    for path in ("/earnings", "/earnings/balance", "/earnings/days", "/earnings/supporters", "/earnings/streams",
                 "/earnings/statements", "/earnings/statements/2026-05.csv", "/payouts"):  # fmt: skip
        refused(await shop.client.get(path), 401, "auth.required")
    for path in ("/payouts", "/payouts/account", "/payouts/account/refresh"):
        refused(await shop.client.post(path, json={}), 401, "auth.required")


async def test_everybody_sees_their_own_and_no_more(shop: Shop) -> None:
    ada_id, ada = await shop.signed_in("ada@example.com")
    _, bea = await shop.signed_in("bea@example.com")
    await shop.rich(ada_id)
    overview = await shop.client.get("/earnings", headers=ada)
    assert (overview.status_code, overview.headers["cache-control"]) == (200, "no-store")
    told = overview.json()
    assert told["balances"] == [
        {"currency": "eur", "pending_minor": 0, "available_minor": 5000, "reserve_minor": 0, "transit_minor": 0,
         "paid_minor": 0},
    ]  # fmt: skip
    assert told["account"] == {
        "state": "ready", "country": None, "requirements": [], "schedule": "manual",
        "schedule_words": "when you ask for it", "next_payout_at": None, "next_payout_words": None,
    }  # fmt: skip
    assert (told["minimum_minor"], told["currency"]) == (2000, "eur")
    assert told["forecast"][0]["amount_minor"] == 5000
    assert (await shop.client.get("/earnings/balance", headers=ada)).json() == {"balances": told["balances"]}
    nothing = (await shop.client.get("/earnings", headers=bea)).json()
    assert (nothing["balances"], nothing["account"]["state"]) == ([], "none")
    empty = await shop.client.get("/earnings/statements/2026-05.csv", headers=bea)
    assert "Opening balance of Bea" in empty.text


async def test_figures_by_day_supporter_and_stream(shop: Shop) -> None:
    ada_id, ada = await shop.signed_in("ada@example.com")
    await shop.rich(ada_id)
    days = (await shop.client.get("/earnings/days?time_zone=Europe/Berlin", headers=ada)).json()
    assert (days["time_zone"], len(days["days"])) == ("Europe/Berlin", 30)
    assert sum(one["earned_minor"] for day in days["days"] for one in day["revenue"]) == 5000
    one = await shop.client.get("/earnings/days?from=2026-05-01&to=2026-05-01", headers=ada)
    assert one.json()["days"] == [
        {"date": "2026-05-01", "revenue": [], "gained": {}, "lost": {}, "subscribers": {}},
    ]  # fmt: skip
    supporters = (await shop.client.get("/earnings/supporters?limit=5", headers=ada)).json()
    assert supporters["supporters"][0]["spent_minor"] == 5000
    assert (supporters["currency"], supporters["supporters"][0]["name"]) == ("eur", None)
    assert (await shop.client.get("/earnings/streams", headers=ada)).json() == {"streams": []}
    for query, field in (
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("from=2020-01-01", "from"),
        ("time_zone=Mars", "time_zone"),
    ):
        details = refused(await shop.client.get(f"/earnings/days?{query}", headers=ada), 400, "request.invalid")
        assert set(details["fields"]) == {field}
    refused(await shop.client.get("/earnings/supporters?limit=101", headers=ada), 400, "request.invalid")
    refused(await shop.client.get("/earnings/supporters?currency=EURO", headers=ada), 400, "request.invalid")


async def test_statements_as_csv_and_pdf(shop: Shop) -> None:
    ada_id, ada = await shop.signed_in("ada@example.com")
    await shop.rich(ada_id)
    listed = (await shop.client.get("/earnings/statements", headers=ada)).json()
    assert listed["currencies"] == ["eur"]
    month = listed["months"][-1]
    answer = await shop.client.get(f"/earnings/statements/{month}.csv", headers=ada)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="footlight-{month}-eur.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["kind"] for row in rows][:2] == ["opening", "payment"]
    pdf = await shop.client.get(f"/earnings/statements/{month}.pdf?currency=usd", headers=ada)
    assert (pdf.headers["content-type"], pdf.headers["cache-control"]) == ("application/pdf", "no-store")
    assert pdf.content.startswith(b"%PDF-")
    for name in (f"{month}.doc", f"{month}", "2999-01.csv", "csv", ".csv", "..%2F..%2Fx.csv"):
        assert (await shop.client.get(f"/earnings/statements/{name}", headers=ada)).status_code == 404


async def test_a_creator_sets_up_an_account_and_is_paid(shop: Shop) -> None:
    ada_id, ada = await shop.signed_in("ada@example.com")
    refused(await shop.client.post("/payouts", headers=ada, json={}), 409, "payment.no_payout_account")
    refused(
        await shop.client.patch("/payouts/account", headers=ada, json={"schedule": "weekly"}),
        409, "payment.no_payout_account",
    )  # fmt: skip
    link = await shop.client.post("/payouts/account", headers=ada, json={"country": "DE"})
    assert (link.status_code, link.json()["url"]) == (201, f"{shop.stripe.url}/onboard/acct_1")
    refused(await shop.client.post("/payouts", headers=ada, json={}), 409, "payment.account_not_ready")
    shop.stripe.accounts["acct_1"].update(payouts_enabled=True, requirements={"currently_due": []})
    refreshed = await shop.client.post("/payouts/account/refresh", headers=ada)
    assert (refreshed.status_code, refreshed.json()["state"], refreshed.json()["country"]) == (200, "ready", "DE")
    weekly = (await shop.client.patch("/payouts/account", headers=ada, json={"schedule": "weekly"})).json()
    assert (weekly["schedule_words"], weekly["next_payout_words"][:7]) == ("every Monday", "Monday,")
    details = refused(await shop.client.post("/payouts", headers=ada, json={}), 409, "payment.payout_too_small")
    assert details == {"minimum": 2000, "available": 0, "currency": "eur"}
    shop.world.clock.now = system_clock() - timedelta(days=8)
    await shop.world.earn(ada_id, 5000)
    shop.world.clock.now = system_clock()
    headers = {**ada, "idempotency-key": "click"}
    first = await shop.client.post("/payouts", headers=headers, json={"currency": "eur"})
    again = await shop.client.post("/payouts", headers=headers, json={"currency": "eur"})
    assert (first.status_code, first.json()) == (201, again.json())
    refused(await shop.client.post("/payouts", headers=ada, json={}), 409, "payment.payout_under_way")
    await shop.world.sender.send_next()
    (shown,) = (await shop.client.get("/payouts", headers=ada)).json()["payouts"]
    assert (shown["id"], shown["state"], shown["amount_minor"]) == (first.json()["id"], "sent", 5000)
    assert "stripe_account_id" not in shown


async def test_onboarding_is_for_creators_and_countries_are_checked(shop: Shop) -> None:
    _, viewer = await shop.signed_in("eve@example.com", "free")
    refused(
        await shop.client.post("/payouts/account", headers=viewer, json={"country": "DE"}), 403, "payment.creators_only"
    )
    _, ada = await shop.signed_in("ada@example.com")
    for country in ("de", "GER", "", "D\n"):
        refused(
            await shop.client.post("/payouts/account", headers=ada, json={"country": country}), 400, "request.invalid"
        )
    shop.stripe.refuses = "country_unsupported"
    refused(await shop.client.post("/payouts/account", headers=ada, json={"country": "KP"}), 400, "payment.country")
    shop.stripe.refuses, shop.stripe.away = None, True
    refused(await shop.client.post("/payouts/account", headers=ada, json={"country": "DE"}), 503, "payment.stripe")


async def test_the_desk_asks_for_the_role_and_a_fresh_sign_in(shop: Shop) -> None:
    _, creator = await shop.signed_in("ada@example.com")
    _, root = await shop.signed_in("root@example.com", "admin")
    body = {"creator_id": new_id(), "reason": "why"}
    for answer in (
        await shop.client.post("/admin/payments/freeze", headers=creator, json=body),
        await shop.client.get("/admin/payments/customer?q=ada@example.com", headers=creator),
        await shop.client.get("/admin/payments/audit", headers=creator),
    ):
        refused(answer, 403, "payment.admins_only")
    assert (await shop.client.get("/admin/payments/audit", headers=root)).status_code == 200
    shop.desk.till.world.clock.offset += FRESH + timedelta(seconds=1)
    refused(await shop.client.get("/admin/payments/audit", headers=root), 403, "payment.sign_in_again")
    refused(
        await shop.client.post("/auth/confirm", headers=root, json={"password": "wrong"}), 403, "auth.wrong_password"
    )
    assert (await shop.client.post("/auth/confirm", headers=root, json={"password": PASSWORD})).status_code == 204
    assert (await shop.client.get("/admin/payments/audit", headers=root)).status_code == 200


async def test_an_admin_looks_up_gives_back_gives_away_and_stops_payouts(shop: Shop) -> None:
    ada_id, ada = await shop.signed_in("ada@example.com")
    _, root = await shop.signed_in("root@example.com", "admin")
    bea = await shop.desk.till.world.person("bea@example.com", "Bea")
    order = await shop.desk.till.order(bea, "channel-2", ada_id)
    bought(shop.desk.counter, order)
    await shop.desk.till.sync.look("subscription", "sub_1")
    await shop.desk.till.sync.look("payment", "pi_1")
    desk = "/admin/payments"

    found = (await shop.client.get(f"{desk}/customer?q=sub_1", headers=root)).json()
    assert (found["user"]["email"], found["payments"][0]["left_minor"]) == ("bea@example.com", PRICE + TAX)
    refused(await shop.client.get(f"{desk}/customer?q=nobody", headers=root), 404, "payment.customer_not_found")

    wanted = {"reference": "invoice:in_1", "reason": "by mistake", "amount_minor": 94}
    refused(await shop.client.post(f"{desk}/refunds", headers=root, json=wanted), 400, "request.invalid")
    keyed = {**root, "idempotency-key": "one"}
    for _ in range(2):
        given_back = await shop.client.post(f"{desk}/refunds", headers=keyed, json=wanted)
        assert (given_back.status_code, given_back.json()["left_minor"]) == (201, PRICE + TAX - 94)
    over = {**wanted, "amount_minor": PRICE + TAX}
    refused(await shop.client.post(f"{desk}/refunds", headers=keyed, json=over), 409, "payment.refund_differs")
    keyed["idempotency-key"] = "two"
    refused(await shop.client.post(f"{desk}/refunds", headers=keyed, json=over), 409, "payment.refund_too_large")

    comp = {"user_id": bea.user.id, "plan_id": "premium-monthly", "reason": "sorry"}
    given = await shop.client.post(f"{desk}/comps", headers=root, json=comp)
    assert (given.status_code, given.json()["scope"], given.json()["until"]) == (201, "premium", None)
    naive = {**comp, "until": "2030-01-01T00:00:00"}
    refused(await shop.client.post(f"{desk}/comps", headers=root, json=naive), 400, "request.invalid")
    end = {"user_id": bea.user.id, "source": given.json()["source"], "reason": "enough"}
    assert (await shop.client.post(f"{desk}/comps/end", headers=root, json=end)).json()["until"]
    refused(await shop.client.post(f"{desk}/comps/end", headers=root, json=end), 404, "payment.given_not_found")

    stop = {"creator_id": ada_id, "reason": "stolen cards"}
    assert (await shop.client.post(f"{desk}/freeze", headers=root, json=stop)).status_code == 200
    refused(await shop.client.post("/payouts", headers=ada, json={}), 403, "payment.frozen")
    shown = (await shop.client.get("/earnings", headers=ada)).json()["account"]
    assert (shown["state"], "stolen" in str(shown)) == ("frozen", False)
    assert (await shop.client.post(f"{desk}/unfreeze", headers=root, json=stop)).status_code == 200

    page = (await shop.client.get(f"{desk}/audit?limit=3", headers=root)).json()
    assert [one["action"] for one in page["deeds"]] == ["unfreeze_payouts", "freeze_payouts", "end_comp"]
    assert page["deeds"][0]["actor_name"] == "Root"
    more = (await shop.client.get(f"{desk}/audit?limit=50&cursor={page['next_cursor']}", headers=root)).json()
    assert {one["action"] for one in more["deeds"]} == {"comp", "refund", "refund_asked", "look_up"}


async def test_a_payout_that_failed_says_why_in_words(shop: Shop) -> None:
    ada_id, ada = await shop.signed_in("ada@example.com")
    await shop.rich(ada_id)
    for code, words in (("balance_insufficient", "had not reached"), ("account_invalid", "look at your details")):
        shop.stripe.refuses = code
        await shop.client.post("/payouts", headers=ada, json={})
        await shop.world.sender.send_next()
        newest = (await shop.client.get("/payouts?limit=1", headers=ada)).json()["payouts"][0]
        assert (newest["state"], newest["failure"], words in newest["failure_words"]) == ("failed", code, True)
