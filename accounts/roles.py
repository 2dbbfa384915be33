"""What a role allows, and how roles change. Pure."""

from accounts.model import Role, Tier

CREATING: tuple[Role, ...] = ("creator", "admin")


def may_create(role: Role) -> bool:
    """Whether this role may start streams and publish videos."""
    return role in CREATING


def as_creator(role: Role) -> Role:
    """The role after becoming a creator: nobody loses anything by it."""
    return role if may_create(role) else "creator"


def granted_tier(role: Role) -> Tier | None:
    """The tier that comes with a role an operator grants; None: what was granted before stays.

    What was paid for is kept apart and is not theirs to take: whoever pays stays premium as `free`.
    """
    return role if role in ("free", "premium") else None
