"""What happens to accounts reaches open sockets: every node hears it, because any may hold one of the user's.

Heard from now on only; a node that was cut off from the bus still ends each socket when its token does, and looks after
its premium rooms by itself (`rechecking.py`).
"""

from collections.abc import Callable

from accounts.events import ProfileChanged, SessionsRevoked
from infra.bus.port import Bus, Message, Subscription
from realtime.connections import Connection, Connections


async def follow_accounts(
    bus: Bus, connections: Connections, identity_changed: Callable[[Connection], None]
) -> Subscription:
    """Listen until the subscription is closed."""

    async def heard(message: Message) -> None:
        if message.topic == SessionsRevoked.topic:
            revoked = SessionsRevoked.from_message(message)
            connections.revoke(revoked.user_id, revoked.session_ids)
        elif message.topic == ProfileChanged.topic:
            profile = ProfileChanged.from_message(message)
            connections.rename(profile)
            for connection in connections.of_user(profile.user_id):
                identity_changed(connection)

    return await bus.listen(["account.*"], heard)
