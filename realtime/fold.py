"""How the entries of a room's log become what one sees: pure, on plain JSON, the same as the web client's.

A line keeps its place by its offset. A removal empties what stands before it; `restored` brings a message back to its
old place. So what one has after any entries is what a fresh reader of the same log has.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Entry = dict[str, Any]
Covers = Callable[[str, str], bool]  # of a user's id and a message's
SAID = ("message", "announcement", "gift")


@dataclass
class Seen:
    """What stands in a room: `lines` is what was said and not removed, by offset. Nothing before `first` is known."""

    first: int = 1
    lines: dict[int, Entry] = field(default_factory=dict)
    settings: Entry = field(default_factory=dict)
    pin: Entry | None = None
    poll: Entry | None = None
    raid: Entry | None = None

    def begin(self, answer: Entry) -> None:
        """Forget everything and begin from the answer to a join."""
        self.first, self.lines = answer["offset"] - len(answer["entries"]) + 1, {}
        self.take(answer["entries"])
        self.standing(answer)

    def standing(self, answer: Entry) -> None:
        """What stands beside the lines, as the answer to any join says."""
        self.settings, self.pin = answer["settings"], answer["pin"]
        self.poll, self.raid = answer["poll"], answer["raid"]

    def take(self, entries: Iterable[Entry]) -> None:
        """Take in the entries that follow."""
        for entry in entries:
            self._apply(entry)

    def since(self, first: int) -> dict[int, Entry]:
        """The lines from this offset on: of an older view as much as a fresh one has."""
        return {offset: line for offset, line in self.lines.items() if offset >= first}

    def _apply(self, entry: Entry) -> None:
        match entry["kind"]:
            case "message" | "announcement" | "gift":
                self.lines[entry["offset"]] = entry
            case "removed":
                self.lines.pop(entry["offset"], None)
            case "moderation":
                self._remove(entry)
            case "restored" if entry["message"]["offset"] >= self.first:
                self.lines[entry["message"]["offset"]] = entry["message"]
            case "settings" | "pin":
                setattr(self, entry["kind"], entry[entry["kind"]])
            case "poll":
                self.poll = entry["poll"] if entry["poll"]["state"] == "open" else None
            case "raid" if entry["raid"]["state"] != "arrived":
                self.raid = entry["raid"] if entry["raid"]["state"] == "preparing" else None

    def _remove(self, entry: Entry) -> None:
        covers = covered_by(entry)
        if covers is None:
            return
        self.lines = {offset: line for offset, line in self.lines.items() if not covers(line["user"]["id"], line["id"])}
        if self.pin is not None and covers(self.pin["user"]["id"], self.pin["message_id"]):
            self.pin = None


def covered_by(entry: Entry) -> Covers | None:
    """What a `moderation` entry takes away of what stands before it; None for one that removes nothing."""
    target = entry.get("target") or {}
    match entry["action"]:
        case "clear":
            return lambda user_id, message_id: True
        case "timeout" | "ban":
            return lambda user_id, message_id: user_id == target["id"]
        case "delete":
            return lambda user_id, message_id: (user_id, message_id) == (target["id"], entry["message_id"])
    return None
