"""`/.well-known`: what other programs look up about us."""

from typing import Any

import msgspec
from litestar import get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency

from accounts.accounts import Accounts
from api.errors import problems


class PublicKeys(msgspec.Struct, frozen=True):
    """A JSON Web Key Set (RFC 7517): the keys that verify our access tokens."""

    keys: list[dict[str, Any]]


# A minute: shorter than the time a new key waits before it signs (accounts/keys.py), so no cache is ever behind.
@get(
    "/.well-known/jwks.json",
    operation_id="getPublicKeys",
    summary="The keys that verify our access tokens",
    tags=["Accounts"],
    cache_control=CacheControlHeader(public=True, max_age=60),
    responses=problems(),
)
async def public_keys(accounts: NamedDependency[Accounts]) -> PublicKeys:
    return PublicKeys(await accounts.public_keys())
