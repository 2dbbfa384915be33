"""People who watch and read."""

import random
import time
from typing import Any, ClassVar

import gevent
from locust import User, task

from loadtest.users.line import Line, LineLost, Refused, backoff_seconds
from loadtest.users.player import Player
from loadtest.users.run import Run


class RoomUser(User):
    """Somebody with a place in the room, who comes back when the connection is lost."""

    abstract = True
    shared: ClassVar[Run]
    line: Line
    _came = False

    def enter(self) -> None:
        """Connect and join; again and again until it is done."""
        attempt = 0
        while not self.shared.over.is_set():
            started = time.monotonic()
            try:
                self.line.open(self.shared.crowd)
                self.line.join(self.shared.room)
            except (LineLost, Refused) as failure:
                # Coming back to a node that is gone is what a storm is; the first arrival must simply work.
                if isinstance(failure, Refused) or not self._came:
                    self.failed("room:join", failure)
                self.shared.crowd.remove(self.line)
                gevent.sleep(backoff_seconds(attempt))
                attempt += 1
            else:
                self._came = True
                self.shared.figures.joins.add(time.monotonic() - started)
                self.told("room:join", started)
                return

    def stay(self) -> None:
        """Return whenever the connection is lost, unless the server said not to."""
        while True:
            self.line.gone.wait()
            if self.shared.over.is_set() or self.line.banned:
                return
            gevent.sleep(random.uniform(0.0, 1.0))  # the web client's jitter
            self.enter()

    def told(self, name: str, started: float) -> None:
        self._fire(name, started, None)

    def failed(self, name: str, failure: Exception) -> None:
        self._fire(name, time.monotonic(), failure)

    def on_stop(self) -> None:
        self.shared.crowd.remove(self.line)

    def _fire(self, name: str, started: float, failure: Exception | None) -> None:
        """Into Locust's own statistics."""
        self.environment.events.request.fire(
            request_type="socket",
            name=name,
            response_time=(time.monotonic() - started) * 1000,
            response_length=0,
            exception=failure,
            context={},
        )


class ViewerUser(RoomUser):
    """Reads the chat; some play the video too. Signs in nowhere."""

    _playing: Any = None

    def on_start(self) -> None:
        run = self.shared
        self.line = run.line(run.stranger())
        run.viewers.append(self.line)
        plays = len(run.viewers) <= run.plan.scenario.watching
        self.enter()
        if plays:
            player = Player(self.environment, self, self.line.who.headers)
            self._playing = gevent.spawn(player.play, run.plan.web, run.room, run.over)

    @task
    def read(self) -> None:
        self.stay()

    def on_stop(self) -> None:
        if self._playing is not None:
            self._playing.kill()
        super().on_stop()
