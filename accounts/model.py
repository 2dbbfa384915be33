"""The nouns of accounts: who people are."""

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["free", "premium", "creator", "admin"]
Tier = Literal["free", "premium"]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account as its owner and our own code may see it; the password hash is not part of it.

    `chat_color` is `#rrggbb`, or None for one that the client makes of the name. `channels` are those whose
    subscription stands: the creator's id and the level.
    """

    id: str
    email: str
    display_name: str
    role: Role
    subscription_tier: Tier
    created_at: datetime
    chat_color: str | None = None
    channels: dict[str, int] = msgspec.field(default_factory=dict)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking: a valid access token whose session still stands. All but the ids is as it is now.

    `session_id` is the sign-in (the refresh family) the token came from; `expires_at` ends the token, not the session.
    """

    user_id: str
    display_name: str
    role: Role
    subscription_tier: Tier
    session_id: str
    expires_at: datetime
    chat_color: str | None = None
    channels: dict[str, int] = msgspec.field(default_factory=dict)

    def subscribes_to(self, creator_id: str) -> bool:
        """Whether what is for subscribers of this channel is for them: premium is for every channel's."""
        return self.subscription_tier == "premium" or creator_id in self.channels


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """The fruit of signing in. `refresh_token` is None when the one the caller has stays good.

    `access_seconds` and `refresh_seconds` say how long each token lives from now.
    """

    user: User
    access_token: str
    access_seconds: int
    refresh_token: str | None = None
    refresh_seconds: int = 0
