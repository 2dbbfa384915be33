"""What accounts tells the rest of the platform."""

from typing import ClassVar

import msgspec

from accounts.model import Role, Tier
from infra.events import Event


class SessionsRevoked(Event, frozen=True, kw_only=True):
    """These sign-ins are over now: every socket that came in with one must close. None means all of the user's."""

    topic: ClassVar[str] = "account.sessions_revoked"
    user_id: str
    session_ids: list[str] | None = None
    reason: str


class ProfileChanged(Event, frozen=True, kw_only=True):
    """Name, role, tier, colour or channel subscriptions are new; open sockets take them over."""

    topic: ClassVar[str] = "account.profile_changed"
    user_id: str
    display_name: str
    role: Role
    subscription_tier: Tier
    chat_color: str | None = None
    channels: dict[str, int] = msgspec.field(default_factory=dict)
