"""Only what Stripe signed, a moment ago, with a secret of ours, is an event; everything else is one refusal."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.errors import WebhookRefused
from payments.stripe.webhooks import LARGEST_BYTES, TOLERANCE, Told, read_webhook
from tests.payments.stripe.signing import NOW, SECRET, event, signed

BEFORE = "whsec_the_one_before"


def read(body: bytes, signature: str, *secrets: str) -> Told:
    return read_webhook(body, signature, secrets or (SECRET,), NOW)


def test_an_event_says_what_to_look_at() -> None:
    body = event(account="acct_1", livemode=False, api_version="2026-10-28.endive")
    told = read(body, signed(body))
    assert (told.event_id, told.type, told.object_id) == ("evt_1", "customer.subscription.updated", "sub_1")
    assert (told.account, told.created) == ("acct_1", NOW)


def test_an_event_about_nothing_with_an_id_is_one_too() -> None:
    body = event(type_="balance.available", data={"object": {"object": "balance"}})
    assert read(body, signed(body)).object_id == ""


def test_while_a_secret_is_rolled_both_hold() -> None:
    body = event()
    for secret in (SECRET, BEFORE):
        assert read(body, signed(body, secret), SECRET, BEFORE).event_id == "evt_1"
    both = signed(body, BEFORE) + "," + signed(body, SECRET).split(",")[1]
    assert read(body, both).event_id == "evt_1"


GOOD = event()
_, _, MAC = signed(GOOD).partition("v1=")
AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    "signature",
    [
        "",
        " ",
        "garbage",
        "t=,v1=",
        f"t={AT}",
        f"v1={MAC}",
        f"t={AT},v0={MAC}",
        f"t={AT + 1},v1={MAC}",
        f"t=now,v1={MAC}",
        f"t={AT},v1={MAC[:-1]}",
        f"t={AT},v1={'é' * 64}",
        f"t={AT},v1={'0' * 64}",
        f"t={'9' * 30},v1={MAC}",
        f"t={'9' * 5000},v1={MAC}",
        signed(GOOD, "whsec_somebody_else_s"),
        signed(GOOD, at=NOW - TOLERANCE - timedelta(seconds=1)),
        signed(GOOD, at=NOW + TOLERANCE + timedelta(seconds=1)),
        ",".join([signed(GOOD)] * 100),
    ],
)
def test_without_a_good_signature_nothing_is_believed(signature: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        read(GOOD, signature)
    assert refused.value.details == {}, "whoever tries learns nothing"


@pytest.mark.parametrize("body", [GOOD[:-1], GOOD + b" ", GOOD.replace(b"sub_1", b"sub_2"), b"", b"\xff\xfe", b"\0"])
def test_a_body_that_was_touched_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        read(body, signed(GOOD))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b"[" * 50_000,
        event(event_id=""),
        event(event_id="e" * 256),
        event(object_id="a\0b"),
        event(created="today"),
        event(created=10**15),
        event(data={}),
        event(data={"object": [1]}),
        event(type=None),
    ],
)
def test_what_is_signed_and_yet_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        read(body, signed(body))


def test_what_is_too_large_is_not_even_looked_at() -> None:
    body = event(padding="x" * LARGEST_BYTES)
    with pytest.raises(WebhookRefused):
        read(body, signed(body))


def test_without_secrets_nobody_can_sign() -> None:
    for secrets in ((), ("",)):
        with pytest.raises(WebhookRefused):
            read_webhook(GOOD, signed(GOOD, ""), secrets, NOW)


@given(st.binary(max_size=200), st.text(st.characters(codec="latin-1"), max_size=200))
def test_garbage_of_any_kind_is_refused_and_never_more(body: bytes, signature: str) -> None:
    with pytest.raises(WebhookRefused):
        read(body, signature)
