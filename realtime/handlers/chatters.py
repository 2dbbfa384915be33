"""Who is here."""

from typing import cast

import msgspec

from realtime.connections import Connection
from realtime.errors import NotInRoom
from realtime.events import AskChatters, Chatters, User
from realtime.room.people import People


class ChattersHandlers:
    def __init__(self, people: People) -> None:
        self._people = people

    async def who_is_here(self, who: Connection, body: AskChatters) -> Chatters:
        if body.stream_id not in who.rooms:
            raise NotInRoom
        page = await self._people.page(body.stream_id, body.after)
        # They are JSON already; msgspec writes a Raw as it is.
        users = cast("list[User]", [msgspec.Raw(user) for user in page.users])
        return Chatters(users=users, next=page.next, total=page.total, anonymous=page.anonymous)
