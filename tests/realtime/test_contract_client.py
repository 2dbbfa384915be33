"""Whatever is lost, doubled or late on the way to a client, after its recovery it has the log: no hole, no double."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from realtime.client import KEPT_AHEAD, View

STREAM = "s1"
NEWEST = 5


def answered(log: list[dict[str, Any]], epoch: str, asked: tuple[str | None, int], kept: int) -> dict[str, Any]:
    """What a server with this log answers to a join with the position `asked`."""
    known, offset = asked
    recovered = known == epoch and len(log) - offset <= kept
    return {
        "epoch": epoch,
        "offset": len(log),
        "recovered": recovered,
        "entries": log[offset:] if recovered else log[-NEWEST:],
        "viewers": 1,
        "stream": {"id": STREAM, "status": "live", "title": "Evening"},
        "settings": {},
        "pin": None,
        "poll": None,
        "raid": None,
    }


def said(offset: int, name: str) -> dict[str, Any]:
    return {"offset": offset, "kind": "message", "id": name, "stream_id": STREAM, "user": {"id": "ada"}, "text": "hi"}


class Viewing(RuleBasedStateMachine):
    """A server with a log, joins that take their time, frames that may be lost, doubled or late, and a `View`."""

    def __init__(self) -> None:
        super().__init__()
        self.view = View(STREAM)
        self.log: list[dict[str, Any]] = []
        self.epoch = 1
        self.joins: list[dict[str, Any]] = []  # answers on their way, in order
        self.late: list[dict[str, Any]] = []

    @initialize(kept=st.sampled_from([2, 10_000]))
    def begin(self, kept: int) -> None:
        self.kept = kept
        self.ask()
        self.answer()

    def ask(self) -> None:
        asked = (self.view.epoch, self.view.offset)
        self.joins.append(answered(self.log, f"e{self.epoch}", asked, self.kept))

    def hear(self, *entries: dict[str, Any]) -> None:
        for entry in entries:
            if self.view.hear(entry):
                self.ask()

    def line(self) -> dict[str, Any]:
        offset = len(self.log) + 1
        self.log.append(said(offset, f"e{self.epoch}-{offset}"))
        return self.log[-1]

    @rule(lines=st.integers(1, 3), fate=st.sampled_from(["arrives", "arrives", "is lost", "comes twice", "is late"]))
    def a_frame(self, lines: int, fate: str) -> None:
        frame = [self.line() for _ in range(lines)]
        if fate == "is late":
            self.late += frame
        elif fate != "is lost":
            late, self.late = self.late, []
            self.hear(*frame, *(frame if fate == "comes twice" else []), *late)

    @rule()
    def answer(self) -> None:
        if self.joins and self.view.joined(self.joins.pop(0)):
            self.ask()

    @rule()
    def lagged(self) -> None:
        self.line()
        self.view.lose()
        self.ask()

    @rule()
    def reset(self) -> None:
        self.epoch += 1
        self.log, self.late, self.joins = [], [], []
        self.view.lose(log=True)
        self.ask()

    @rule()
    def reconnect(self) -> None:
        self.late, self.joins = [], []
        self.view.lose(log=True)
        self.line()
        self.ask()

    @invariant()
    def has_no_hole_and_no_double(self) -> None:
        offsets = [entry["offset"] for entry in self.view.entries]
        assert offsets == list(range(self.view.offset - len(offsets) + 1, self.view.offset + 1))

    def teardown(self) -> None:
        self.hear(self.line())  # the last line shows every hole before it
        self.hear(self.line())
        while self.joins:
            self.answer()
        held = self.view.entries
        assert self.view.standing
        assert held == self.log[len(self.log) - len(held) :]
        if self.kept > len(self.log) and self.view.resets == 0:
            assert held == self.log


TestViewing = Viewing.TestCase


@given(st.sets(st.integers(1, 30)), st.integers(0, 30))
def test_any_subset_of_frames_may_be_lost(lost: set[int], behind: int) -> None:
    log: list[dict[str, Any]] = [said(offset, f"m{offset}") for offset in range(1, 31)]
    view = View(STREAM)
    assert not view.joined(answered([], "e1", (None, 0), 100))
    for entry in log:
        if entry["offset"] not in lost and view.hear(entry):
            position = ("e1", view.offset)
            view.joined(answered(log[: max(entry["offset"], behind)], "e1", position, 100))
    view.lose()
    view.joined(answered(log, "e1", (view.epoch, view.offset), 100))
    assert view.entries == log


def test_what_waits_is_bounded_and_the_hole_before_it_is_noticed() -> None:
    view = View(STREAM)
    view.joined(answered([], "e1", (None, 0), 100))
    view.lose()
    for offset in range(1, KEPT_AHEAD + 2):
        assert not view.hear(said(offset, f"m{offset}"))
    assert len(view.ahead) == KEPT_AHEAD
    assert view.joined(answered([], "e1", ("e1", 0), 100))
    assert not view.standing
