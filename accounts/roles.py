"""What a role allows, and how roles change. Pure."""

from accounts.model import Role, Tier, User

CREATING: tuple[Role, ...] = ("creator", "admin")


def may_create(role: Role) -> bool:
    """Whether this role may start streams and publish videos."""
    return role in CREATING


def as_creator(role: Role) -> Role:
    """The role after becoming a creator: nobody loses anything by it."""
    return role if may_create(role) else "creator"


def granted(user: User, role: Role) -> tuple[Role, Tier]:
    """Role and tier after an operator granted `role`; a creator or admin keeps the tier that was paid for."""
    tier: Tier = role if role in ("free", "premium") else user.subscription_tier
    return role, tier
