"""Refresh tokens: `<user>.<sign-in>.<generation>.<HMAC-SHA256>`. Pure.

The server stores only which generation of a sign-in is the present one; the token proves itself by the MAC. So a stolen
copy of the store lets nobody in, and the successor of a token can be made again when the answer with it was lost.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from accounts.errors import SessionOver
from infra.settings import BadSetting

MIN_SECRET_CHARACTERS = 32
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKEN = re.compile(rf"({_UUID})\.({_UUID})\.([1-9][0-9]{{0,8}})\.([A-Za-z0-9_-]{{43}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a token says."""

    user_id: str
    session_id: str
    generation: int


class RefreshTokens:
    """Writes and reads refresh tokens with a key derived from the installation's secret."""

    def __init__(self, secret: str) -> None:
        if len(secret) < MIN_SECRET_CHARACTERS:
            raise BadSetting(
                "Footlight cannot start:\n  FOOTLIGHT_SECRET must be set to at least "
                f"{MIN_SECRET_CHARACTERS} random characters, the same in every process (`openssl rand -hex 32`)."
            )
        self._key = hmac.digest(secret.encode(), b"footlight refresh token 1", "sha256")

    def write(self, token: RefreshToken) -> str:
        plain = f"{token.user_id}.{token.session_id}.{token.generation}"
        return f"{plain}.{self._mac(plain)}"

    def read(self, text: str) -> RefreshToken:
        """The token, or `SessionOver` when it is not one of ours."""
        match = _TOKEN.fullmatch(text)
        if match is None or not hmac.compare_digest(self._mac(text.rpartition(".")[0]), match[4]):
            raise SessionOver
        return RefreshToken(match[1], match[2], int(match[3]))

    def _mac(self, plain: str) -> str:
        mac = hmac.digest(self._key, plain.encode(), "sha256")
        return urlsafe_b64encode(mac).rstrip(b"=").decode()
