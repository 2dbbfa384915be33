"""Raids: the viewers of one channel go to another together, a few at a time, so that nothing there is run over.

A raid is prepared in Redis (`features.lua`), where it departs or is cancelled, once. What became of it is recorded as
entries of both rooms' logs: whoever finds a raid whose state is not recorded records it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from infra.clock import NewId, new_id
from infra.errors import Unavailable
from infra.stores.redis import Functions
from realtime.entries import Raid, RaidChanged, User
from realtime.moderation.bodies import Acted
from realtime.moderation.deeds import Deed
from realtime.moderation.errors import AlreadySo, RaidTarget
from realtime.room.features import FeatureCalls, KnowRules, RecordOnce, fields_of, id_of
from realtime.room.rounds import OpenRooms, Rounds

MIN_SPREAD_MS, MAX_SPREAD_MS = 2000, 15_000  # one viewer a millisecond between them
ATTEMPTS = 3

State = Literal["preparing", "gone", "cancelled"]
ACTIONS: dict[State, str] = {"preparing": "raid", "gone": "raid_gone", "cancelled": "raid_cancel"}


class LiveChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that is live now: its creator's id and name, and its stream."""

    channel_id: str
    name: str
    stream_id: str


class Channels(Protocol):
    """What raids ask about channels; both raise `Unavailable`."""

    async def live_stream_of(self, channel_id: str) -> LiveChannel | None:
        """None when it is not live."""
        ...

    async def is_banned(self, channel_id: str, user_id: str) -> bool:
        """Whether the user is banned or timed out there now."""
        ...


Viewers = Callable[[str], Awaitable[int]]  # how many watch a stream


class _Ways(msgspec.Struct, frozen=True):
    source: LiveChannel
    target: LiveChannel


@dataclass(frozen=True, slots=True)
class _Found:
    """A raid as Redis keeps it."""

    id: str
    ways: _Ways
    state: State
    recorded: str
    departs_at: int
    viewers: int
    spread_ms: int
    began_by: User
    began_at: int
    ended_by: User | None
    ended_at: int
    wait_ms: int


class Raids:
    """The raids of all rooms. Every method raises `Unavailable` when the room's shard does not answer."""

    def __init__(  # its ports, by keyword
        self,
        functions: Functions,
        know_rules: KnowRules,
        record: RecordOnce,
        *,
        channels: Channels,
        viewers: Viewers,
        ids: NewId = new_id,
    ) -> None:
        self._calls = FeatureCalls(functions, know_rules)
        self._record = record
        self._channels = channels
        self._viewers = viewers
        self._ids = ids
        self._rounds = Rounds("raids", self.look)

    async def start(self, source: LiveChannel, actor: User, target_id: str, seconds: float) -> Acted:
        """Announce a raid that departs after `seconds`.

        Raises `RaidTarget` unless the target is live, another channel, and has not banned the broadcaster who raids;
        `AlreadySo` while another raid is being prepared.
        """
        ways = _Ways(source, await self._target(source.channel_id, target_id))
        room, raid_id = source.stream_id, self._ids()
        by = msgspec.json.encode(actor)
        arguments = [raid_id, source.channel_id, msgspec.json.encode(ways), int(seconds * 1000), by]
        for _ in range(ATTEMPTS):
            match await self._calls.call(room, "raid_start", ("raid",), arguments):
                case b"ok":
                    again = await self.look(room)
                    self._rounds.soon(room, seconds if again is None else again)
                    return Acted(action_id=id_of("raid", raid_id, "preparing"), message=f"Raiding {ways.target.name}.")
                case b"open":
                    raise AlreadySo
            await self.look(room)  # the one before is over, but that is not recorded yet
        raise Unavailable

    async def cancel(self, stream_id: str, actor: User) -> Acted:
        """Everybody stays; raises `AlreadySo` when no raid is being prepared (any more)."""
        answer = await self._end(stream_id, "", "cancelled", actor)
        found = await self._find(stream_id)
        await self.look(stream_id)
        if answer != b"ok" or found is None:
            raise AlreadySo
        return Acted(action_id=id_of("raid", found.id, "cancelled"), message="The raid is cancelled.")

    async def state(self, stream_id: str) -> Raid | None:
        """The raid that is being prepared."""
        found = await self._find(stream_id)
        return _raid(found, "preparing") if found is not None and found.state == "preparing" else None

    async def look(self, stream_id: str) -> float | None:
        """Send off a raid whose time has come, and record what is not recorded.

        Answers after how many seconds that should be done again; None when nothing is due.
        """
        found = await self._find(stream_id)
        if found is not None and found.state == "preparing" and not found.wait_ms:
            await self._depart(stream_id, found)
            found = await self._find(stream_id)
        if found is None:
            return None
        for state in _unrecorded(found):
            for deed in _deeds(found, state):
                await self._record(deed)
            await self._calls.call(stream_id, "feature_recorded", ("raid",), [found.id, state])
        return found.wait_ms / 1000 if found.state == "preparing" else None

    async def run(self, rooms: OpenRooms) -> None:
        """Look after the rooms that are open here, until cancelled."""
        await self._rounds.run(rooms)

    async def _target(self, source_id: str, target_id: str) -> LiveChannel:
        if target_id == source_id:
            raise RaidTarget
        target = await self._channels.live_stream_of(target_id)
        if target is None or await self._channels.is_banned(target_id, source_id):
            raise RaidTarget
        return target

    async def _depart(self, stream_id: str, found: _Found) -> None:
        """Gone, or cancelled when the target is not there any more."""
        try:
            target = await self._target(found.ways.source.channel_id, found.ways.target.channel_id)
            state: State = "gone" if target.stream_id == found.ways.target.stream_id else "cancelled"
        except RaidTarget:
            state = "cancelled"
        viewers = await self._viewers(stream_id) if state == "gone" else 0
        await self._end(stream_id, found.id, state, found.began_by, viewers)

    async def _end(self, stream_id: str, raid_id: str, state: State, by: User, viewers: int = 0) -> bytes:
        arguments = [raid_id, state, msgspec.json.encode(by), viewers, spread_ms_of(viewers)]
        answer: bytes = await self._calls.call(stream_id, "raid_end", ("raid",), arguments)
        return answer

    async def _find(self, stream_id: str) -> _Found | None:
        answer = await self._calls.call(stream_id, "raid_look", ("raid",))
        return _found(*answer) if answer else None


def spread_ms_of(viewers: int) -> int:
    """Over how long so many leave."""
    return max(MIN_SPREAD_MS, min(MAX_SPREAD_MS, viewers))


def _unrecorded(found: _Found) -> list[State]:
    states: list[State] = [] if found.recorded else ["preparing"]
    if found.state not in ("preparing", found.recorded):
        states.append(found.state)
    return states


def _found(flat: list[bytes], wait_ms: int) -> _Found:
    fields = fields_of(flat)
    ended_by = fields.get("ended_by")
    return _Found(
        id=fields["id"].decode(),
        ways=msgspec.json.decode(fields["text"], type=_Ways),
        state=msgspec.convert(fields["state"].decode(), type=State),
        recorded=fields["recorded"].decode(),
        departs_at=int(fields["departs_at"]),
        viewers=int(fields.get("viewers", 0)),
        spread_ms=int(fields.get("spread_ms", MIN_SPREAD_MS)),
        began_by=msgspec.json.decode(fields["began_by"], type=User),
        began_at=int(fields["began_at"]),
        ended_by=msgspec.json.decode(ended_by, type=User) if ended_by else None,
        ended_at=int(fields.get("ended_at", 0)),
        wait_ms=int(wait_ms),
    )


def _raid(found: _Found, state: Literal["preparing", "gone", "cancelled", "arrived"]) -> Raid:
    """As the source's room sees it; as the target's does, when it arrived."""
    other = found.ways.source if state == "arrived" else found.ways.target
    return Raid(
        channel_id=other.channel_id,
        name=other.name,
        stream_id=other.stream_id,
        viewers=found.viewers,
        departs_at=found.departs_at,
        spread_ms=found.spread_ms,
        state=state,
    )


def _deeds(found: _Found, state: State) -> list[Deed]:
    """What is recorded in the source's channel, and for `gone` in the target's too."""
    begins = state == "preparing"
    actor = found.began_by if begins else found.ended_by or found.began_by
    deeds = [_deed(found, found.ways.source, _raid(found, state), ACTIONS[state], actor)]
    if state == "gone":
        source = found.ways.source
        broadcaster = User(id=source.channel_id, name=source.name, role="viewer")
        deeds.append(_deed(found, found.ways.target, _raid(found, "arrived"), "raided", broadcaster))
    return deeds


def _deed(found: _Found, channel: LiveChannel, raid: Raid, action: str, actor: User) -> Deed:
    action_id = id_of("raid", found.id, raid.state)
    at = found.began_at if raid.state == "preparing" else found.ended_at
    return Deed(
        id=action_id,
        channel_id=channel.channel_id,
        at=at,
        action=action,
        actor=actor,
        stream_id=channel.stream_id,
        after={"raid": msgspec.to_builtins(raid)},
        entry=RaidChanged(offset=0, stream_id=channel.stream_id, id=action_id, at=at, raid=raid),
    )
