"""CloudFront's signed cookies: the policy, its signature, and the check that CloudFront makes. Pure.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-setting-signed-cookie-custom-policy.html:
a policy of JSON without white space, an RSA-SHA1 signature of it (PKCS #1 v1.5), both in base64 with `+=/` as `-_~`.
SHA-1 is what CloudFront takes; a policy is ours alone to write, so its collisions help nobody.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1

POLICY, SIGNATURE, KEY_PAIR_ID = "CloudFront-Policy", "CloudFront-Signature", "CloudFront-Key-Pair-Id"
NAMES = (POLICY, SIGNATURE, KEY_PAIR_ID)
MAX_COOKIE_CHARACTERS = 2048
# What comes before the wildcard; what CloudFront would take for one more is not ours.
RESOURCE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9/_-]+/\*")
_TO_COOKIE = bytes.maketrans(b"+=/", b"-_~")
_FROM_COOKIE = bytes.maketrans(b"-_~", b"+=/")


@dataclass(frozen=True, slots=True)
class Grant:
    """Everything below `prefix` (a URL that ends in a slash) until `expires` (Unix seconds)."""

    prefix: str
    expires: int


def policy_of(grant: Grant) -> bytes:
    """The text that is signed."""
    statement = {"Resource": grant.prefix + "*", "Condition": {"DateLessThan": {"AWS:EpochTime": grant.expires}}}
    return msgspec.json.encode({"Statement": [statement]})


def to_cookie(data: bytes) -> str:
    return base64.b64encode(data).translate(_TO_COOKIE).decode()


def from_cookie(text: str) -> bytes:
    """Raises `ValueError`."""
    try:
        return base64.b64decode(text.encode("ascii").translate(_FROM_COOKIE), validate=True)
    except (binascii.Error, UnicodeEncodeError) as wrong:
        raise ValueError("not base64") from wrong


def sign(key: rsa.RSAPrivateKey, policy: bytes) -> bytes:
    return key.sign(policy, padding.PKCS1v15(), SHA1())  # noqa: S303  # CloudFront takes no other


class _Epoch(msgspec.Struct, forbid_unknown_fields=True):
    seconds: int = msgspec.field(name="AWS:EpochTime")


class _Condition(msgspec.Struct, forbid_unknown_fields=True):
    until: _Epoch = msgspec.field(name="DateLessThan")


class _Statement(msgspec.Struct, forbid_unknown_fields=True):
    resource: str = msgspec.field(name="Resource")
    condition: _Condition = msgspec.field(name="Condition")


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    statement: list[_Statement] = msgspec.field(name="Statement")


def verified(cookies: Mapping[str, str], keys: Mapping[str, rsa.RSAPublicKey]) -> Grant | None:
    """What the three cookies grant, if one of our keys signed it; whether it is over is the caller's to see."""
    if any(not 0 < len(cookies.get(name, "")) <= MAX_COOKIE_CHARACTERS for name in NAMES):
        return None
    key = keys.get(cookies[KEY_PAIR_ID])
    if key is None:
        return None
    try:
        policy = from_cookie(cookies[POLICY])
        key.verify(from_cookie(cookies[SIGNATURE]), policy, padding.PKCS1v15(), SHA1())  # noqa: S303  # as above
        return _grant_of(msgspec.json.decode(policy, type=_Policy))
    except (ValueError, InvalidSignature, msgspec.DecodeError):
        return None


def _grant_of(policy: Any) -> Grant | None:
    if len(policy.statement) != 1:
        return None
    statement = policy.statement[0]
    if not RESOURCE.fullmatch(statement.resource):
        return None
    return Grant(statement.resource[:-1], statement.condition.until.seconds)


def covers(grant: Grant, url: str, now: float) -> bool:
    """Whether the grant holds for this address, now."""
    return now < grant.expires and url.startswith(grant.prefix)
