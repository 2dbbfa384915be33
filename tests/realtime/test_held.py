"""Whatever viewers do and however often an answer is lost, Redis is told exactly who is here."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from realtime.room.held import BATCH, Held, Report

LINGER = 6.0
VIEWERS = st.sampled_from([bytes([number]) * 8 for number in range(6)])


class Told:
    """What `presence_report` does with one life."""

    def __init__(self) -> None:
        self.life = ""
        self.number = 0
        self.viewers: set[bytes] = set()

    def take(self, report: Report) -> bool:
        if report.life != self.life:
            if report.number > 1:
                return False
            self.life, self.number, self.viewers = report.life, 0, set()
        assert report.number in {self.number, self.number + 1}
        self.number = report.number
        self.viewers |= {viewer for viewer, _ in report.came}
        self.viewers -= set(report.left)
        return True


class HeldMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.held, self.redis, self.now = Held(LINGER), Told(), 0.0
        self.tabs: list[bytes] = []

    @rule(viewer=VIEWERS)
    def enter(self, viewer: bytes) -> None:
        self.tabs.append(viewer)
        self.held.enter(viewer, b"")

    @rule(viewer=VIEWERS)
    def leave(self, viewer: bytes) -> None:
        if viewer in self.tabs:
            self.tabs.remove(viewer)
            self.held.leave(viewer, self.now)

    @rule(seconds=st.floats(0.0, 2 * LINGER))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(answered=st.booleans(), arrived=st.booleans())
    def report(self, answered: bool, arrived: bool) -> None:
        report = self.held.report(self.now)
        if not (answered or arrived):
            return
        known = self.redis.take(report)
        if answered and known:
            self.held.settled()
        elif answered:
            self.held.begin_again()

    @rule()
    def lose_everything(self) -> None:
        self.redis = Told()

    @invariant()
    def in_the_end_redis_knows(self) -> None:
        # Looked at from a copy of what both sides know: telling changes them.
        if self.held.waits(self.now) or self.redis.life == "":
            return
        assert set(self.tabs) <= self.redis.viewers or not self.redis.number

    def teardown(self) -> None:
        self.now += LINGER
        for _ in range(4):
            report = self.held.report(self.now)
            if self.redis.take(report):
                self.held.settled()
            else:
                self.held.begin_again()
        assert self.redis.viewers == set(self.tabs)
        assert self.held.over is not bool(self.tabs)


TestHeld = HeldMachine.TestCase


@given(st.integers(0, 3 * BATCH))
def test_a_crowd_is_told_in_batches(crowd: int) -> None:
    held, told = Held(LINGER), Told()
    for number in range(crowd):
        held.enter(number.to_bytes(8), b"")
    while held.waits(0.0):
        report = held.report(0.0)
        assert len(report.came) <= BATCH
        told.take(report)
        held.settled()
    assert len(told.viewers) == crowd


def test_a_new_line_is_told_and_the_old_one_not_again() -> None:
    held = Held(LINGER)
    held.enter(b"12345678", b"ada")
    assert held.report(0.0).came == [(b"12345678", b"ada")]
    held.settled()
    held.enter(b"12345678", b"ada")
    assert not held.waits(0.0)
    held.enter(b"12345678", b"countess")
    assert held.report(0.0).came == [(b"12345678", b"countess")]
