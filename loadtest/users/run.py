"""One run inside Locust: everybody comes, then there is talk and perhaps a storm, then all is counted."""

import os
import random
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import gevent
import msgspec
from gevent.event import Event

from loadtest.users.crowd import Crowd
from loadtest.users.figures import Figures, Result
from loadtest.users.line import Line
from loadtest.users.news import Newsroom
from loadtest.users.stage import Caller, Ledger, Plan

GATHER_SECONDS = 120.0
SETTLE_SECONDS = 30.0
LOOK_SECONDS = 0.2


class Run:
    """Shared by all users. `talking` is set while chatters may speak; `over` when viewers need not come back."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.figures = Figures()
        self.ledger = Ledger()
        self.room = plan.people["creators"][0].stream_id
        self.crowd = Crowd()
        self.news = Newsroom(self.ledger.sent)
        self.viewers: list[Line] = []
        self.talking = Event()
        self.over = Event()
        self.last_said = ("", "")  # the user and the message that a moderator may look at
        self._people = {kind: iter(people) for kind, people in plan.people.items()}
        self._numbers = count(1)
        self._said = count(1)
        self._readers = [gevent.spawn(self.crowd.run), gevent.spawn(self.crowd.look)]

    def person(self, kind: str) -> Caller:
        """The next who is signed in."""
        return next(self._people[kind])

    def stranger(self) -> Caller:
        """The next who is not; 10.0.0.0/8 gives each an address."""
        number = next(self._numbers)
        return Caller(number=number, address=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")

    def line(self, who: Caller) -> Line:
        return Line(who, self.plan.nodes, self.news, self.figures)

    def message_id(self) -> str:
        return f"load-{next(self._said):08}"

    def conduct(self, environment: Any) -> None:
        """Wait until everybody is there, let them talk, wait until all is heard, write the result, end."""
        scenario = self.plan.scenario
        until(lambda: self._present() >= scenario.viewers, GATHER_SECONDS)
        began, cpu = time.monotonic(), cpu_seconds()
        Path(self.plan.talk_began).write_text(str(began))
        self.talking.set()
        for storm in sorted(scenario.storms, key=lambda storm: storm.after_seconds):
            gevent.sleep(max(0.0, began + storm.after_seconds - time.monotonic()))
            self._drop(storm.share)
        gevent.sleep(max(0.0, began + scenario.seconds - time.monotonic()))
        self.talking.clear()
        ended, spent = time.monotonic(), cpu_seconds() - cpu
        until(lambda: self._present(self.ledger.last) >= scenario.viewers, SETTLE_SECONDS)
        Path(self.plan.result).write_bytes(msgspec.json.encode(self._result(environment, began, ended, spent)))
        self.over.set()
        environment.runner.quit()

    def close(self) -> None:
        gevent.killall(self._readers)
        self.crowd.close()

    def _present(self, offset: int = 0) -> int:
        return sum(line.seat.standing and line.seat.offset >= offset for line in self.viewers)

    def _drop(self, share: float) -> None:
        for line in random.sample(self.viewers, int(len(self.viewers) * share)):
            self.crowd.remove(line)

    def _result(self, environment: Any, began: float, ended: float, spent: float) -> Result:
        last, seats = self.ledger.last, [line.seat for line in self.viewers]
        http = [entry for (_, method), entry in environment.stats.entries.items() if method.isupper()]
        errors = {
            f"{error.method} {error.name}: {error.error}": error.occurrences for error in http_errors(environment)
        }
        return Result(
            joins=self.figures.joins.summary(),
            acks=self.figures.acks.summary(),
            deliveries=self.figures.deliveries.summary(),
            recoveries=self.figures.recoveries.summary(),
            http_p95=max((float(entry.get_response_time_percentile(0.95)) for entry in http), default=0.0),
            http_requests=sum(entry.num_requests for entry in http),
            errors={**errors, **{name: amount for name, amount in self.figures.errors.items() if amount}},
            talk_began=began,
            talk_ended=ended,
            viewers=self.plan.scenario.viewers,
            present=self._present(),
            acknowledged=len(self.ledger.acknowledged),
            wrong=self.ledger.wrong(self.news.seen) + self.news.conflicts,
            not_whole=self.plan.scenario.viewers - sum(seat.is_whole(last) for seat in seats),
            repeated=sum(seat.repeated for seat in seats),
            gaps=sum(seat.gaps for seat in seats),
            resets=sum(seat.resets for seat in seats),
            connections_lost=self.figures.lost,
            generator_cpu_seconds=spent,
            generator_memory_mb=memory_mb(),
        )


def http_errors(environment: Any) -> list[Any]:
    return list(environment.stats.errors.values())


def until(done: Callable[[], bool], seconds: float) -> None:
    """Look again and again; whoever is not there in time is counted as absent."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        gevent.sleep(LOOK_SECONDS)


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def memory_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
