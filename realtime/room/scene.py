"""What stands in a room beside its lines: the rules, the pinned message, the open poll, the raid. Pure."""

import msgspec

from realtime.entries import (
    Entry,
    Pin,
    PinChanged,
    Poll,
    PollChanged,
    Raid,
    RaidChanged,
    RoomSettings,
    SettingsChanged,
)
from realtime.moderation.bodies import RoomPoll
from realtime.room.log import Known, Line
from realtime.room.redaction import Removals
from realtime.room.rules import Change, Patch, Rules, patched

_decode = msgspec.json.Decoder(Entry).decode
_decode_votes = msgspec.json.Decoder(RoomPoll).decode


class Scene:
    """Takes in control lines in the order of the log, and patches in the order of their revisions."""

    def __init__(self) -> None:
        self.rules = Rules()
        self.poll: Poll | None = None
        self.raid: Raid | None = None
        self._pin: PinChanged | None = None
        self._pin_mark = b""
        self._removals = Removals()

    @property
    def settings(self) -> RoomSettings:
        return self.rules.settings

    def pin(self, now: int, *, up_to: int | None = None) -> Pin | None:
        """What is pinned at this moment (Unix milliseconds), unless it was removed; nothing that was pinned by an entry
        beyond the offset `up_to`."""
        if self._pin is None or self._pin.pin is None or self._pin.pin.until <= now:
            return None
        if up_to is not None and self._pin.offset > up_to:
            return None
        line = Line(self._pin.offset, b"", self._pin_mark)
        return None if self._removals.cover(line) else self._pin.pin

    def begin(self, known: Known) -> None:
        """Begin from what holds now."""
        self.rules, self.poll, self.raid, self._pin = known.rules, None, None, None
        for line in known.standing:
            self._stand(line)

    def lose_log(self) -> None:
        """The log begins anew, and offsets are given out again: what was removed before covers nothing of it."""
        self._removals = Removals()

    def look(self, line: Line) -> None:
        """A control line: what it says holds from here on. One of a later release changes nothing."""
        self._removals.add(line)
        self._stand(line)

    def _stand(self, line: Line) -> None:
        try:
            entry = _decode(line.entry)
        except msgspec.ValidationError:
            return
        match entry:
            case SettingsChanged(settings=settings):
                self.rules = msgspec.structs.replace(self.rules, settings=settings)
            case PinChanged():
                self._pin, self._pin_mark = entry, line.mark
            case PollChanged(poll=poll):
                self.poll = poll if poll.state == "open" else None
            case RaidChanged(raid=raid) if raid.state != "arrived":
                self.raid = raid if raid.state == "preparing" else None

    def count(self, votes: bytes) -> None:
        """The votes so far, as `RoomPoll` in JSON."""
        told = _decode_votes(votes)
        if self.poll is not None and self.poll.id == told.poll_id:
            self.poll = msgspec.structs.replace(self.poll, votes=told.votes)

    def patch(self, revision: int, patch: Patch) -> bool:
        """The next change of the rules; False when one is missing before it, and all must be read anew."""
        if revision <= self.rules.revision:
            return True
        if revision != self.rules.revision + 1:
            return False
        # The settings come with their entry, in the order of the log: the room's own slow mode is among them.
        self.rules = patched(self.rules, Change(id="", revision=revision, stream_id=None, patch=patch))
        return True
