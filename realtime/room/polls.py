"""Polls: one open in a room, one vote for each account, the tally told at most once a second.

The poll and its votes lie in Redis (`features.lua`), where it opens and closes. Both are then recorded as entries of
the room's log, each once: whoever finds a poll whose state is not recorded records it.
"""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from infra.clock import NewId, new_id
from infra.errors import Invalid, Unavailable
from infra.stores.redis import Functions
from realtime.entries import Poll, PollChanged, User
from realtime.errors import TextInvalid
from realtime.moderation.bodies import Acted, OpenPoll
from realtime.moderation.deeds import Deed
from realtime.moderation.errors import PollClosed, PollOpen, PollVoted
from realtime.room.features import FeatureCalls, KnowRules, RecordOnce, fields_of, id_of
from realtime.room.rounds import OpenRooms, Rounds
from realtime.room.text import clean

TOLD_EVERY_SECONDS = 1.0
ATTEMPTS = 3

State = Literal["open", "closed", "cancelled"]
ACTIONS: dict[State, str] = {"open": "poll_open", "closed": "poll_close", "cancelled": "poll_cancel"}


class _Text(msgspec.Struct, frozen=True):
    question: str
    choices: list[str]


@dataclass(frozen=True, slots=True)
class _Found:
    """A poll as Redis keeps it."""

    channel_id: str
    poll: Poll
    began_by: User
    began_at: int
    recorded: str
    ended_by: User | None
    ended_at: int
    again_ms: int


class Polls:
    """The polls of all rooms. Every method raises `Unavailable` when the room's shard does not answer."""

    def __init__(
        self,
        functions: Functions,
        know_rules: KnowRules,
        record: RecordOnce,
        *,
        told_every_seconds: float = TOLD_EVERY_SECONDS,
        ids: NewId = new_id,
    ) -> None:
        self._calls = FeatureCalls(functions, know_rules)
        self._record = record
        self._told_every_ms = int(told_every_seconds * 1000)
        self._ids = ids
        self._rounds = Rounds("polls", self.look)

    async def open(self, channel_id: str, actor: User, body: OpenPoll) -> Acted:
        """Open a poll; raises `PollOpen`, and `TextInvalid` for a question or choices that cannot be asked.

        Once it is open it stays so: when it cannot be recorded just now, that is done later.
        """
        room, poll_id, text = body.stream_id, self._ids(), msgspec.json.encode(_cleaned(body))
        arguments = [poll_id, channel_id, text, len(body.choices), body.seconds * 1000, msgspec.json.encode(actor)]
        for _ in range(ATTEMPTS):
            match await self._calls.call(room, "poll_open", ("poll",), arguments):
                case b"ok":
                    await self.look(room)
                    self._rounds.soon(room, body.seconds)
                    return Acted(action_id=id_of("poll", poll_id, "open"), message="The poll is open.")
                case b"open":
                    raise PollOpen
            await self.look(room)  # the one before is over, but its end is not recorded yet
        raise Unavailable

    async def close(self, stream_id: str, actor: User, poll_id: str, *, cancel: bool = False) -> Acted:
        """End a poll with the votes there are; raises `PollClosed`."""
        state: State = "cancelled" if cancel else "closed"
        by = msgspec.json.encode(actor)
        answer = await self._calls.call(stream_id, "poll_close", ("poll",), [poll_id, state, by])
        await self.look(stream_id)
        if answer != b"ok":
            raise PollClosed
        message = "The poll is cancelled." if cancel else "The poll is closed."
        return Acted(action_id=id_of("poll", poll_id, state), message=message)

    async def vote(self, stream_id: str, user_id: str, poll_id: str, choice: int) -> None:
        """Count a vote; raises `PollClosed`, `PollVoted`, `ChatBanned`, and `Invalid` for a choice there is not."""
        parts = ("poll", "bans", "rules", "channel")
        # The token tells a vote that is sent again, because its answer was lost, from a second one.
        arguments = [stream_id, poll_id, user_id, choice, self._ids(), self._told_every_ms]
        match await self._calls.call(stream_id, "poll_vote", parts, arguments):
            case [b"ok", wait_ms]:
                if wait_ms:
                    self._rounds.soon(stream_id, int(wait_ms) / 1000)
            case [b"voted"]:
                raise PollVoted
            case [b"choice"]:
                raise Invalid(reason="choice")
            case _:
                raise PollClosed

    async def state(self, stream_id: str) -> Poll | None:
        """The open poll with its votes."""
        found = await self._find(stream_id)
        return found.poll if found is not None and found.poll.state == "open" else None

    async def look(self, stream_id: str) -> float | None:
        """Tell votes that were not told, close what is over, record what is not recorded.

        Answers after how many seconds that should be done again; None when nothing is due.
        """
        found = await self._find(stream_id)
        if found is None:
            return None
        for state in _unrecorded(found):
            await self._record(_deed(stream_id, found, state))
            await self._calls.call(stream_id, "feature_recorded", ("poll",), [found.poll.id, state])
        return None if found.again_ms < 0 else found.again_ms / 1000

    async def run(self, rooms: OpenRooms) -> None:
        """Look after the rooms that are open here, until cancelled."""
        await self._rounds.run(rooms)

    async def _find(self, stream_id: str) -> _Found | None:
        arguments = [stream_id, self._told_every_ms]
        answer = await self._calls.call(stream_id, "poll_look", ("poll", "channel"), arguments)
        return _found(*answer) if answer else None


def _cleaned(body: OpenPoll) -> _Text:
    choices = [clean(choice) for choice in body.choices]
    if len({choice.casefold() for choice in choices}) < len(choices):
        raise TextInvalid(reason="duplicates")
    return _Text(clean(body.question), choices)


def _unrecorded(found: _Found) -> list[State]:
    states: list[State] = [] if found.recorded else ["open"]
    if found.poll.state not in ("open", found.recorded):
        states.append(found.poll.state)
    return states


def _found(flat: list[bytes], votes: bytes, again_ms: int) -> _Found:
    fields = fields_of(flat)
    text = msgspec.json.decode(fields["text"], type=_Text)
    poll: dict[str, Any] = {
        "id": fields["id"].decode(),
        "question": text.question,
        "choices": text.choices,
        "votes": msgspec.json.decode(votes),
        "state": fields["state"].decode(),
        "closes_at": int(fields["closes_at"]),
    }
    ended_by = fields.get("ended_by")
    return _Found(
        channel_id=fields["owner"].decode(),
        poll=msgspec.convert(poll, type=Poll),
        began_by=msgspec.json.decode(fields["began_by"], type=User),
        began_at=int(fields["began_at"]),
        recorded=fields["recorded"].decode(),
        ended_by=msgspec.json.decode(ended_by, type=User) if ended_by else None,
        ended_at=int(fields.get("ended_at", 0)),
        again_ms=int(again_ms),
    )


def _deed(stream_id: str, found: _Found, state: State) -> Deed:
    """The poll's beginning, with no votes, or its end, with all of them."""
    action_id, begins = id_of("poll", found.poll.id, state), state == "open"
    at = found.began_at if begins else found.ended_at
    poll = found.poll
    if begins:
        poll = msgspec.structs.replace(poll, state="open", votes=[0] * len(poll.choices))
    return Deed(
        id=action_id,
        channel_id=found.channel_id,
        at=at,
        action=ACTIONS[state],
        actor=found.began_by if begins else found.ended_by or found.began_by,
        stream_id=stream_id,
        after={"poll": msgspec.to_builtins(poll)},
        entry=PollChanged(offset=0, stream_id=stream_id, id=action_id, at=at, poll=poll),
    )
