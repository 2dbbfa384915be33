"""Who may be in a room: who may watch its stream (`media/delivery/entitlement.py`), and nobody else. Pure."""

from accounts.model import Identity
from infra.errors import Unauthenticated
from media.delivery.entitlement import Gate, require_watching
from media.errors import PremiumOnly
from realtime.errors import PremiumRoom, RoomNotFound
from realtime.ports import StreamSnapshot


def require_entering(stream: StreamSnapshot, who: Identity | None) -> None:
    """Return when they may read and write there now. Raises `PremiumRoom`."""
    gate = Gate(stream.creator_id, stream.visibility, is_there=True, missing=RoomNotFound)
    try:
        require_watching(gate, who)
    except (PremiumOnly, Unauthenticated) as refused:
        raise PremiumRoom from refused
