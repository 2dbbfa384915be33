"""Attacks on access tokens: none is let in, and none is answered with anything but 'not valid'."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from accounts import tokens
from accounts.errors import SessionOver, TokenExpired, TokenInvalid
from accounts.key_folder import Key
from infra.errors import Unauthenticated
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from tests.accounts.world import World, open_world

STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Forge:
    """Bends a good token in one way at a time."""

    def __init__(self, key: Key, good: str) -> None:
        self.key = key
        self.good = good
        self.claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})

    def make(
        self, *, claims: dict[str, Any] | None = None, without: str = "", header: dict[str, Any] | None = None,
        signer: rsa.RSAPrivateKey | None = None,
    ) -> str:  # fmt: skip
        body = {**self.claims, **(claims or {})}
        body.pop(without, None)
        head = {"alg": "RS256", "kid": self.key.kid, "typ": "at+jwt", **(header or {})}
        return raw(head, body, signer or self.key.private)


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def raw(head: Any, body: Any, signer: rsa.RSAPrivateKey) -> str:
    """Sign anything at all with RS256, past every check of the library."""
    signed = f"{part(head)}.{part(body)}"
    signature = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(signed.encode(), signer)
    return f"{signed}.{part(signature)}"


def confused(forge: Forge) -> str:
    """HS256 with our public key as the secret."""
    public = forge.key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': forge.key.kid, 'typ': 'at+jwt'})}.{part(forge.claims)}"
    return f"{signed}.{part(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"


def unsigned(forge: Forge) -> str:
    return f"{part({'alg': 'none', 'kid': forge.key.kid, 'typ': 'at+jwt'})}.{part(forge.claims)}."


def own_jwk() -> dict[str, Any]:
    jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)
    return jwk


SOON = int((datetime.now(UTC) + timedelta(hours=2)).timestamp())
ATTACKS: dict[str, Callable[[Forge], str]] = {
    "no algorithm": unsigned,
    "no algorithm, other spelling": lambda f: unsigned(f).replace(part({"alg": "none"})[:8], part({"alg": "nOnE"})[:8]),
    "HS256 with the public key": confused,
    "signed by a stranger": lambda f: f.make(signer=STRANGER),
    "signed by a stranger who brings the key": lambda f: f.make(signer=STRANGER, header={"jwk": own_jwk()}),
    "signed by a stranger who points to the key": lambda f: f.make(
        signer=STRANGER, header={"jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/cert", "x5c": ["MIIB"]}
    ),
    "unknown critical header": lambda f: f.make(header={"crit": ["exotic"], "exotic": 1}),
    "unencoded payload": lambda f: f.make(header={"crit": ["b64"], "b64": False}),
    "kid of a file": lambda f: f.make(header={"kid": "../../etc/passwd"}),
    "kid of the key's path": lambda f: f.make(header={"kid": f"../keys/{f.key.kid}"}),
    "kid with SQL": lambda f: f.make(header={"kid": "' OR 1=1 --"}),
    "kid with NUL": lambda f: f.make(header={"kid": f"{f.key.kid}\0"}),
    "kid unknown": lambda f: f.make(header={"kid": "20200101T000000Z-00000000"}),
    "kid is a list": lambda f: f.make(header={"kid": [f.key.kid]}),
    "kid is missing": lambda f: raw({"alg": "RS256", "typ": "at+jwt"}, f.claims, f.key.private),
    "another kind of token": lambda f: f.make(header={"typ": "JWT"}),
    "kind is missing": lambda f: raw({"alg": "RS256", "kid": f.key.kid}, f.claims, f.key.private),
    "refresh used as access": lambda f: f.make(claims={"typ": "refresh"}),
    "not yet valid": lambda f: f.make(claims={"nbf": SOON}),
    "issued in the future": lambda f: f.make(claims={"iat": SOON - 60, "exp": SOON}),
    "for another audience": lambda f: f.make(claims={"aud": "another"}),
    "of another issuer": lambda f: f.make(claims={"iss": "another"}),
    "user is a number": lambda f: f.make(claims={"sub": 1}),
    "user is an object": lambda f: f.make(claims={"sub": {"$gt": ""}}),
    "sign-in is a number": lambda f: f.make(claims={"sid": 1}),
    "end is a text": lambda f: f.make(claims={"exp": "tomorrow"}),
    "end is null": lambda f: f.make(claims={"exp": None}),
    "end is infinite": lambda f: f.make(claims={"exp": float("inf")}),
    "end is huge": lambda f: f.make(claims={"exp": 10**400}),
    **{f"without {name}": partial(Forge.make, without=name) for name in tokens.REQUIRED},
    "claims are a list": lambda f: raw({"alg": "RS256", "kid": f.key.kid, "typ": "at+jwt"}, ["sub"], f.key.private),
    "claims are no JSON": lambda f: raw({"alg": "RS256", "kid": f.key.kid, "typ": "at+jwt"}, b"\xff{", f.key.private),
    "claims are nested deep": lambda f: raw(
        {"alg": "RS256", "kid": f.key.kid, "typ": "at+jwt"}, b"[" * 1200 + b"]" * 1200, f.key.private
    ),
    "header is nested deep": lambda f: f"{part(b'[' * 1400 + b']' * 1400)}.e30.e30",
    "header is a list": lambda f: f"{part([1])}.{part(f.claims)}.e30",
    "a megabyte": lambda f: f.make(claims={"x": "y" * 1_000_000}),
    "cut short": lambda f: f.good[:-10],
    "without signature": lambda f: f.good.rpartition(".")[0] + ".",
    "two parts": lambda f: f.good.rpartition(".")[0],
    "four parts": lambda f: f.good + ".e30",
    "other claims, old signature": lambda f: ".".join(
        [f.good.split(".")[0], part({**f.claims, "sub": "0" * 8}), f.good.split(".")[2]]
    ),
    "empty": lambda f: "",
    "dots": lambda f: "..",
    "not ASCII": lambda f: "\u00e9.\u00e9.\u00e9",
    "surrogate": lambda f: "\ud800.e30.e30",
    "a refresh token": lambda f: "0.1.1.AAAA",
}  # fmt: skip


@pytest.fixture
async def forge(world: World) -> Forge:
    signed = await world.person()
    kid = jwt.get_unverified_header(signed.access_token)["kid"]
    await world.keys.open()
    key = await world.keys.find(kid)
    assert key
    return Forge(key, signed.access_token)


async def test_the_forge_makes_good_tokens_when_nothing_is_bent(world: World, forge: Forge) -> None:
    assert (await world.accounts.identify(forge.good)).display_name == "Ada"
    assert (await world.accounts.identify(forge.make())).display_name == "Ada"


async def test_a_forged_token_is_not_valid(world: World, forge: Forge) -> None:
    outcomes = {name: await outcome(world, attack(forge)) for name, attack in ATTACKS.items()}
    assert outcomes == dict.fromkeys(ATTACKS, "TokenInvalid")


async def outcome(world: World, token: str) -> str:
    try:
        return str(await world.accounts.identify(token))
    except Exception as refused:  # noqa: BLE001 - any other kind is what the test looks for
        return type(refused).__name__


async def test_a_token_past_its_end_has_expired(world: World, forge: Forge) -> None:
    past = int((datetime.now(UTC) - timedelta(seconds=1)).timestamp())
    with pytest.raises(TokenExpired):
        await world.accounts.identify(forge.make(claims={"exp": past}))


async def test_a_token_of_a_sign_in_that_never_was_is_over(world: World, forge: Forge) -> None:
    for claims in ({"sid": "x"}, {"sub": "x"}, {"sub": "}{", "sid": "*"}, {"sid": ""}):
        with pytest.raises(SessionOver):
            await world.accounts.identify(forge.make(claims=claims))


@given(
    st.text(max_size=200)
    | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(lambda p: ".".join(map(part, p)))
)
def test_any_text_is_refused_without_a_surprise(text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.key_id(text)


def test_a_token_says_nothing_about_a_person() -> None:
    token = tokens.issue(
        STRANGER, "k", issuer="i", user_id="u", session_id="s", now=datetime.now(UTC), life=timedelta(minutes=1)
    )
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "typ", "iat", "exp"}
    assert tokens.verify(token, STRANGER.public_key(), issuer="i").sub == "u"


async def test_a_retired_key_opens_nothing(tmp_path: Path, db: Postgres, redis: Redis) -> None:
    """S6: within the overlap the old key is good; afterwards its tokens are refused."""
    async with open_world(tmp_path, db, redis) as before:
        signed = await before.person()
        old = jwt.get_unverified_header(signed.access_token)["kid"]
        before.clock.offset = timedelta(minutes=1)
        new = before.keys.rotate()
        before.clock.offset = timedelta(hours=2)
        assert before.keys.ids() == [old, new]
    async with open_world(tmp_path, db, redis) as during:
        assert await during.accounts.identify(signed.access_token)
        assert before.keys.retire() == [old]
    async with open_world(tmp_path, db, redis) as after:
        with pytest.raises(TokenInvalid):
            await after.accounts.identify(signed.access_token)
        eve = await after.person("eve@example.com", "Eve")
        assert jwt.get_unverified_header(eve.access_token)["kid"] == new
