"""The held messages of a channel's live room, for its moderators. The rules are in `realtime/moderation/held.py`."""

from typing import Protocol

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from realtime.moderation.bodies import HeldMessage
from realtime.moderation.errors import ChannelNotFound, NotAllowed


class HeldInChannel(Protocol):
    """What this page asks."""

    async def held_in(self, channel_id: str, identity: Identity) -> list[HeldMessage]:
        """Oldest first, none when nothing is live; raises `ChannelNotFound`, and `NotAllowed` for who does not moderate
        it."""
        ...


# A protocol: there is no class to check what is passed in against.
Queue = NamedDependency[SkipValidation[HeldInChannel]]


class HeldMessages(msgspec.Struct, frozen=True):
    """The whole queue: at most 200."""

    held: list[HeldMessage]


class HeldController(Controller):
    path = "/channels"
    tags = ("Moderation",)
    response_headers = NO_STORE

    @get(
        "/{channel_id:str}/held",
        guards=[signed_in],
        operation_id="listHeldMessages",
        summary="The messages that wait for a moderator, oldest first",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, NotAllowed, ChannelNotFound),
    )
    async def list_held(
        self, channel_id: FromPath[str], held_queue: Queue, identity: NamedDependency[Identity]
    ) -> HeldMessages:
        return HeldMessages(await held_queue.held_in(channel_id, identity))
