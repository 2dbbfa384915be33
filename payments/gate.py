"""Who may do what administrators do: the role, and a password asked for within the last ten minutes."""

from typing import Any, Protocol

from accounts.model import Identity
from infra.clock import Clock, new_id
from payments.audit_rows import Deed
from payments.errors import AdminsOnly, FreshSignInNeeded


class Fresh(Protocol):
    """The part of accounts that knows when a password was asked for."""

    async def is_fresh(self, identity: Identity) -> bool: ...


class Gate:
    """Lets through, and names what is done."""

    def __init__(self, fresh: Fresh, clock: Clock) -> None:
        self._fresh = fresh
        self._clock = clock

    async def require(self, actor: Identity) -> None:
        """Raises `AdminsOnly`, `FreshSignInNeeded`."""
        if actor.role != "admin":
            raise AdminsOnly
        if not await self._fresh.is_fresh(actor):
            raise FreshSignInNeeded

    def deed(self, actor: Identity, action: str, user_id: str | None, **more: Any) -> Deed:
        """What is written to the audit, as of now. `more`: id, about, reason, before, after."""
        return Deed(
            **{
                "id": new_id(), "action": action, "actor_id": actor.user_id, "actor_name": actor.display_name,
                "user_id": user_id, "at": self._clock(), **more,
            }
        )  # fmt: skip
