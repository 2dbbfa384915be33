"""Creators' accounts at Connect: made, told who they are on a page of ours, sent money."""

from payments.sandbox import balance
from payments.sandbox.asking import Ask, merged
from payments.sandbox.book import Book, Thing, page_of
from payments.sandbox.errors import Refused, missing

COUNTRIES = {
    "AT": "eur", "BE": "eur", "BG": "eur", "CH": "chf", "CY": "eur", "CZ": "czk", "DE": "eur", "DK": "dkk",
    "EE": "eur", "ES": "eur", "FI": "eur", "FR": "eur", "GB": "gbp", "GR": "eur", "HR": "eur", "HU": "huf",
    "IE": "eur", "IT": "eur", "LT": "eur", "LU": "eur", "LV": "eur", "MT": "eur", "NL": "eur", "NO": "nok",
    "PL": "pln", "PT": "eur", "RO": "ron", "SE": "sek", "SI": "eur", "SK": "eur", "US": "usd",
}  # fmt: skip
LINK_SECONDS = 300
NEEDED = ["external_account", "individual.first_name", "individual.last_name", "tos_acceptance.date"]


def create_account(book: Book, ask: Ask) -> Thing:
    country = ask.text("country") or "US"
    if country not in COUNTRIES:
        raise Refused(f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead, "
                      "such as 'US', 'EG', or 'GB'.", param="country", code="country_unsupported")  # fmt: skip
    if (ask.text("type") or "express") != "express":
        raise Refused("The sandbox knows express accounts only.", param="type")
    made = book.make(
        "account", "acct", book.now, business_profile=_profile(), business_type=None,
        capabilities={"transfers": "inactive"}, charges_enabled=False, controller=_controller(), country=country,
        default_currency=COUNTRIES[country], details_submitted=False, email=ask.text("email"),
        external_accounts=page_of([], ""), future_requirements=_requirements([]), metadata=ask.metadata(),
        payouts_enabled=False, requirements=_requirements(NEEDED), settings=_settings(),
        tos_acceptance={"date": None, "ip": None, "user_agent": None}, type="express",
    )  # fmt: skip
    made["external_accounts"]["url"] = f"/v1/accounts/{made['id']}/external_accounts"
    return book.change(made)


def read_account(book: Book, ask: Ask) -> Thing:
    return book.get("account", ask.id)


def update_account(book: Book, ask: Ask) -> Thing:
    account = book.get("account", ask.id)
    if "metadata" in ask.params:
        account["metadata"] = merged(account["metadata"], ask.metadata())
    book.change(account)
    book.tell("account.updated", account, account=account["id"])
    return account


def create_link(book: Book, ask: Ask) -> Thing:
    """A page for one visit. Its address is the only key to it."""
    account = book.get("account", ask.need("account"), "account")
    if ask.need("type") not in {"account_onboarding", "account_update"}:
        raise Refused("Invalid type: must be account_onboarding or account_update", param="type")
    made = book.make(
        "account_link", "link", book.now, expires_at=book.now + LINK_SECONDS, url="",
    )  # fmt: skip
    book.hide(made, account=account["id"], return_url=ask.need("return_url"), refresh_url=ask.need("refresh_url"))
    book.change(made, url=f"{book.url}/onboarding/{made['id']}")
    return {name: made[name] for name in ("object", "created", "expires_at", "url")}


def onboard(book: Book, account: Thing) -> Thing:
    """The creator said who they are: money may be sent to them."""
    book.change(
        account, capabilities={"transfers": "active"}, charges_enabled=True, details_submitted=True,
        payouts_enabled=True, requirements=_requirements([]), business_type="individual",
    )  # fmt: skip
    book.tell("account.updated", account, account=account["id"])
    return account


def restrict(book: Book, account: Thing) -> Thing:
    """Stripe wants to know more: no money goes out until it does."""
    book.change(account, payouts_enabled=False, requirements={**_requirements(["individual.verification.document"]),
                "disabled_reason": "requirements.past_due"})  # fmt: skip
    book.tell("account.updated", account, account=account["id"])
    return account


def create_transfer(book: Book, ask: Ask) -> Thing:
    account = book.get("account", ask.need("destination"), "destination")
    amount, currency = ask.number("amount", 1), ask.need("currency").lower()
    if amount is None:
        raise missing("amount")
    if account["capabilities"]["transfers"] != "active":
        raise Refused(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers",
            code="insufficient_capabilities_for_transfer", param="destination",
        )  # fmt: skip
    if balance.balance_of(book).get(currency, 0) < amount:
        raise Refused("You have insufficient available funds in your Stripe account.", code="balance_insufficient")
    made = book.make(
        "transfer", "tr", book.now, amount=amount, amount_reversed=0, balance_transaction=None, currency=currency,
        description=ask.text("description"), destination=account["id"], destination_payment=f"py_{book.new_id()}",
        metadata=ask.metadata(), reversals=page_of([], ""), reversed=False, source_transaction=None,
        source_type="card", transfer_group=ask.text("transfer_group"),
    )  # fmt: skip
    made["reversals"]["url"] = f"/v1/transfers/{made['id']}/reversals"
    taken = balance.move(book, book.now, -amount, currency, 0, type="transfer", source=made["id"])
    book.change(made, balance_transaction=taken["id"])
    book.tell("transfer.created", made)
    return made


def read_transfer(book: Book, ask: Ask) -> Thing:
    return book.get("transfer", ask.id)


def reverse_transfer(book: Book, ask: Ask) -> Thing:
    """The money comes back; all of it without an amount."""
    transfer = book.get("transfer", ask.id)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = ask.number("amount", 1) or left
    if not 0 < amount <= left:
        raise Refused("Reversal amount is greater than unreversed amount on transfer.", param="amount")
    back = balance.move(book, book.now, amount, transfer["currency"], 0, type="transfer_cancel", source=transfer["id"])
    made = book.make(
        "transfer_reversal", "trr", book.now, amount=amount, balance_transaction=back["id"],
        currency=transfer["currency"], destination_payment_refund=None, metadata=ask.metadata(), source_refund=None,
        transfer=transfer["id"],
    )  # fmt: skip
    book.change(made)
    transfer["reversals"]["data"].insert(0, made)
    given_back = transfer["amount_reversed"] + amount
    book.change(transfer, amount_reversed=given_back, reversed=given_back == transfer["amount"])
    book.tell("transfer.reversed" if transfer["reversed"] else "transfer.updated", transfer)
    return made


def _requirements(due: list[str]) -> Thing:
    return {
        "alternatives": [], "current_deadline": None, "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None, "errors": [], "eventually_due": due,
        "past_due": due, "pending_verification": [],
    }  # fmt: skip


def _profile() -> Thing:
    nothing = (
        "annual_revenue estimated_worker_count mcc minority_owned_business_designation name product_description "
        "support_address support_email support_phone support_url url"
    )
    return dict.fromkeys(nothing.split())


def _controller() -> Thing:
    return {
        "type": "application", "is_controller": True, "fees": {"payer": "application_express"},
        "losses": {"payments": "application"}, "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
    }  # fmt: skip


def _settings() -> Thing:
    return {
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False}, "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None, "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "payments": dict.fromkeys(("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")),
        "payouts": {
            "debit_negative_balances": True, "statement_descriptor": None,
            "schedule": {"delay_days": 7, "interval": "daily"},
        },
    }  # fmt: skip
