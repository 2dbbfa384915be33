"""Held messages, polls, reactions and raids, as sockets ask for them."""

from dataclasses import dataclass

from realtime.bodies import Answer
from realtime.connections import Connection
from realtime.entries import User
from realtime.handlers.room import joined_room, signed_in
from realtime.moderation.bodies import (
    Acted,
    Approve,
    ClaimHeld,
    ClosePoll,
    Command,
    Deny,
    OpenPoll,
    React,
    StartRaid,
    Vote,
)
from realtime.moderation.capabilities import Capability, require
from realtime.moderation.errors import NotAllowed, RaidTarget
from realtime.moderation.held import HeldQueue
from realtime.room.local import Room
from realtime.room.polls import Polls
from realtime.room.raids import LiveChannel, Raids
from realtime.room.reactions import Reactions
from realtime.room.rooms import Rooms


@dataclass(frozen=True, slots=True)
class FeatureHandlers:
    """Whether somebody is banned is decided with what they do, in one step, on the room's shard."""

    rooms: Rooms
    held: HeldQueue
    polls: Polls
    reactions: Reactions
    raids: Raids

    async def claim(self, who: Connection, body: ClaimHeld) -> Acted:
        room, user = self._here(who, body, "moderate")
        await self.held.claim(room.id, user, body.held_id, release=body.release)
        return Acted(message="Given back." if body.release else "Yours to decide.")

    async def approve(self, who: Connection, body: Approve) -> Acted:
        room, user = self._here(who, body, "moderate")
        return await self.held.approve(room.id, user, body.held_id)

    async def deny(self, who: Connection, body: Deny) -> Acted:
        room, user = self._here(who, body, "moderate")
        return await self.held.deny(room.id, user, body.held_id, body.reason)

    async def open_poll(self, who: Connection, body: OpenPoll) -> Acted:
        room, user = self._here(who, body, "settings")
        return await self.polls.open(room.stream.creator_id, user, body)

    async def close_poll(self, who: Connection, body: ClosePoll) -> Acted:
        room, user = self._here(who, body, "settings")
        return await self.polls.close(room.id, user, body.poll_id, cancel=body.cancel)

    async def vote(self, who: Connection, body: Vote) -> Answer:
        room, user = self._here(who, body, "vote")
        await self.polls.vote(room.id, user.id, body.poll_id, body.choice)
        return Answer()

    async def react(self, who: Connection, body: React) -> Answer:
        room, user = self._here(who, body, "react")
        await self.reactions.react(room.id, user.id, body.reaction)
        return Answer()

    async def raid(self, who: Connection, body: StartRaid) -> Acted:
        room, user = self._here(who, body, "raid")
        if body.cancel:
            return await self.raids.cancel(room.id, user)
        if body.channel_id is None:
            raise RaidTarget
        stream = room.stream
        here = LiveChannel(channel_id=stream.creator_id, name=stream.creator_name, stream_id=room.id)
        return await self.raids.start(here, user, body.channel_id, body.seconds)

    def _here(self, who: Connection, body: Command, capability: Capability) -> tuple[Room, User]:
        """Where and who; raises `NotInRoom`, `Unauthenticated`, `NotAllowed`."""
        room = joined_room(self.rooms, who, body.stream_id)
        user = signed_in(room, who)
        require(user.role, capability)
        # Whether somebody may vote or react is decided on the room's shard.
        if capability not in ("vote", "react") and user.role != "admin" and room.sanction_of(user.id) is not None:
            raise NotAllowed(capability=capability)
        return room, user
