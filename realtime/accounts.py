"""What happens to accounts reaches open sockets: every node hears it, because any may hold one of the user's.

Heard from now on only; a node that was cut off from the bus still ends each socket when its token does.
"""

from accounts.events import ProfileChanged, SessionsRevoked
from infra.bus.port import Bus, Message, Subscription
from realtime.connections import Connections


async def follow_accounts(bus: Bus, connections: Connections) -> Subscription:
    """Listen until the subscription is closed."""

    async def heard(message: Message) -> None:
        if message.topic == SessionsRevoked.topic:
            revoked = SessionsRevoked.from_message(message)
            connections.revoke(revoked.user_id, revoked.session_ids)
        elif message.topic == ProfileChanged.topic:
            connections.rename(ProfileChanged.from_message(message))

    return await bus.listen(["account.*"], heard)
