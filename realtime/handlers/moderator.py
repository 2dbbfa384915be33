"""What moderators command by socket, and the one thing the warned say: all of it is `Moderation.act`."""

from realtime.connections import Connection
from realtime.handlers.room import joined_room, signed_in
from realtime.moderation.actions import Moderation
from realtime.moderation.bodies import Acted, Command
from realtime.room.rooms import Rooms


class ModeratorHandlers:
    """One handler for every event whose body is one of `realtime.moderation.actions.ACTIONS`."""

    def __init__(self, rooms: Rooms, moderation: Moderation) -> None:
        self._rooms = rooms
        self._moderation = moderation

    async def act(self, who: Connection, body: Command) -> Acted:
        """Raises `NotInRoom`, `Unauthenticated`, and what `Moderation.act` refuses."""
        room = joined_room(self._rooms, who, body.stream_id)
        return await self._moderation.act(signed_in(room, who), room.stream.creator_id, body)
