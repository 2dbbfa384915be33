"""What we write on objects at Stripe (`metadata`), so that they say themselves whose they are."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from payments.model import Order


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays, for which order and plan, and on whose channel."""

    user_id: str
    order_id: str | None = None
    plan_id: str | None = None
    creator_id: str | None = None

    def as_metadata(self) -> dict[str, str]:
        """For Stripe; `marks_in` reads it."""
        named = {"user": self.user_id, "order": self.order_id, "plan": self.plan_id, "creator": self.creator_id}
        return {f"footlight_{name}": value for name, value in named.items() if value}


def marks_in(metadata: Mapping[str, str] | None) -> Marks | None:
    """None for an object that is not of our making, as others may use the same account."""
    found = metadata or {}
    user_id = _uuid(found.get("footlight_user"))
    if user_id is None:
        return None
    return Marks(
        user_id=user_id,
        order_id=_uuid(found.get("footlight_order")),
        plan_id=found.get("footlight_plan"),
        creator_id=_uuid(found.get("footlight_creator")),
    )


def marks_of(order: Order) -> Marks:
    return Marks(user_id=order.user_id, order_id=order.id, plan_id=order.plan_id, creator_id=order.creator_id)


def _uuid(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None
