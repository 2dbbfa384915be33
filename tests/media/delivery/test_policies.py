"""Cookies as CloudFront makes and checks them, against botocore's signer, and everything that is none."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from hypothesis import given
from hypothesis import strategies as st

from media.delivery.policies import (
    KEY_PAIR_ID,
    MAX_COOKIE_CHARACTERS,
    NAMES,
    POLICY,
    SIGNATURE,
    Grant,
    covers,
    from_cookie,
    policy_of,
    sign,
    to_cookie,
    verified,
)
from tests.media.delivery.passes import KEY_ID, key

GRANT = Grant("https://edge.example/vod/v1/", 2_000_000_000)
KEYS = {KEY_ID: key().public_key()}


def cookies_of(policy: bytes, name: str = KEY_ID, by: rsa.RSAPrivateKey | None = None) -> dict[str, str]:
    return {POLICY: to_cookie(policy), SIGNATURE: to_cookie(sign(by or key(), policy)), KEY_PAIR_ID: name}


def granted(cookies: Mapping[str, str]) -> Grant | None:
    return verified(cookies, KEYS)


def statement(resource: str = GRANT.prefix + "*", **conditions: object) -> dict[str, object]:
    return {"Resource": resource, "Condition": conditions or {"DateLessThan": {"AWS:EpochTime": GRANT.expires}}}


def signed(*statements: object, **more: object) -> dict[str, str]:
    return cookies_of(json.dumps({"Statement": list(statements), **more}, separators=(",", ":")).encode())


def test_a_policy_is_what_botocore_writes_and_signs() -> None:
    signer = CloudFrontSigner(KEY_ID, lambda message: key().sign(message, padding.PKCS1v15(), SHA1()))  # noqa: S303
    theirs = signer.build_policy(GRANT.prefix + "*", datetime.fromtimestamp(GRANT.expires, UTC))
    assert policy_of(GRANT) == theirs.encode()
    url = signer.generate_presigned_url(GRANT.prefix + "480p.m3u8", policy=theirs)
    query = dict(part.split("=", 1) for part in url.partition("?")[2].split("&"))
    ours = cookies_of(policy_of(GRANT))
    assert {f"CloudFront-{name}": value for name, value in query.items()} == ours
    assert granted(ours) == GRANT


@given(st.binary(max_size=300))
def test_cookie_text_is_read_back_and_safe_in_a_cookie(data: bytes) -> None:
    text = to_cookie(data)
    assert from_cookie(text) == data
    assert set(text).isdisjoint('+=/;, "\\')


@given(st.sampled_from((POLICY, SIGNATURE)), st.data())
def test_every_altered_byte_is_refused(name: str, data: st.DataObject) -> None:
    cookies = cookies_of(policy_of(GRANT))
    raw = bytearray(from_cookie(cookies[name]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert granted({**cookies, name: to_cookie(bytes(raw))}) is None


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=80)))
def test_anything_else_is_no_grant(cookies: dict[str, str]) -> None:
    assert granted(cookies) is None


@given(st.sampled_from(NAMES), st.text(min_size=1, max_size=40))
def test_one_cookie_replaced_by_anything_is_no_other_grant(name: str, value: str) -> None:
    assert granted({**cookies_of(policy_of(GRANT)), name: value}) in (None, GRANT)


def test_another_key_or_none_is_refused() -> None:
    policy, stranger = policy_of(GRANT), rsa.generate_private_key(65537, 2048)
    assert granted(cookies_of(policy, by=stranger)) is None
    assert granted(cookies_of(policy, "K-OTHER")) is None
    assert granted(cookies_of(policy, KEY_ID.lower() + "x")) is None
    assert verified(cookies_of(policy, "K-OTHER"), KEYS | {"K-OTHER": stranger.public_key()}) is None


@pytest.mark.parametrize("missing", NAMES)
def test_two_cookies_are_not_three(missing: str) -> None:
    cookies = cookies_of(policy_of(GRANT))
    assert granted({**cookies, missing: ""}) is None
    del cookies[missing]
    assert granted(cookies) is None


def test_oversized_cookies_are_not_read() -> None:
    long = Grant("https://edge.example/" + "a" * MAX_COOKIE_CHARACTERS + "/", GRANT.expires)
    assert granted(cookies_of(policy_of(long))) is None


@pytest.mark.parametrize(
    "resource",
    [
        "*", "https://*", "http*://edge.example/vod/v1/*", "https://edge.example/*", "https://edge.example/vod/*/*",
        "https://edge.example/vod/v?/*", "https://edge.example/vod/v1/a*", "https://edge.example/vod/v1/",
        "https://edge.example/vod/../*", "https://u@edge.example/vod/v1/*", "https://edge.example/vod/v1/*\n", "",
    ],
)  # fmt: skip
def test_a_signed_policy_for_more_than_one_folder_is_not_ours(resource: str) -> None:
    assert granted(signed(statement(resource))) is None


def test_a_signed_policy_of_another_form_is_not_ours() -> None:
    assert granted(signed(statement())) == GRANT
    assert granted(signed()) is None
    assert granted(signed(statement(), statement())) is None
    assert granted(signed({**statement(), "Effect": "Allow"})) is None
    assert granted(signed(statement(), Version="2012-10-17")) is None
    later = {"DateLessThan": {"AWS:EpochTime": GRANT.expires}, "DateGreaterThan": {"AWS:EpochTime": 1}}
    assert granted(signed(statement(GRANT.prefix + "*", **later))) is None
    assert granted(signed(statement(GRANT.prefix + "*", DateLessThan={"AWS:EpochTime": "soon"}))) is None
    assert granted(cookies_of(b"\xff")) is None


@pytest.mark.parametrize(
    ("url", "now", "held"),
    [
        ("https://edge.example/vod/v1/480p.m3u8", 0, True),
        ("https://edge.example/vod/v1/480p.m3u8", GRANT.expires - 1, True),
        ("https://edge.example/vod/v1/480p.m3u8", GRANT.expires, False),
        ("https://edge.example/vod/v2/480p.m3u8", 0, False),
        ("https://edge.example/vod/v1", 0, False),
        ("https://edge.example/vod/v12/480p.m3u8", 0, False),
        ("http://edge.example/vod/v1/480p.m3u8", 0, False),
        ("https://edge.example:8443/vod/v1/480p.m3u8", 0, False),
        ("https://other.example/vod/v1/480p.m3u8", 0, False),
        ("https://edge.example/VOD/v1/480p.m3u8", 0, False),
    ],
)
def test_a_grant_holds_for_its_folder_until_it_ends(url: str, now: float, held: bool) -> None:
    assert covers(GRANT, url, now) is held
