"""Who may be in a room: who may watch its stream (`media/delivery/entitlement.py`), and nobody else. Pure."""

from accounts.model import Identity
from infra.errors import Unauthenticated
from media.delivery.entitlement import Gate, is_open_to_all, require_watching
from media.errors import PremiumOnly
from realtime.errors import PremiumRoom, RoomNotFound
from realtime.ports import StreamSnapshot


def is_guarded(stream: StreamSnapshot) -> bool:
    """Whether the right to be there may end before the stream does."""
    return not is_open_to_all(_gate(stream))


def require_entering(stream: StreamSnapshot, who: Identity | None) -> None:
    """Return when they may read and write there now. Raises `PremiumRoom`."""
    try:
        require_watching(_gate(stream), who)
    except (PremiumOnly, Unauthenticated) as refused:
        raise PremiumRoom from refused


def _gate(stream: StreamSnapshot) -> Gate:
    return Gate(stream.creator_id, stream.visibility, is_there=True, missing=RoomNotFound)
