"""People who are signed in: those who talk, and those who look after the talk."""

import time
from typing import Any

import gevent
from locust import task

from loadtest.users.line import LineLost, Refused
from loadtest.users.viewers import RoomUser

PADDING = "we were all here when it happened, weren't we"  # an entry is 212 bytes then, as in the figures' method
RETRIES = 10
LOOK_SECONDS = 10.0


class MemberUser(RoomUser):
    """Has an account."""

    abstract = True
    kind: str
    _stay: Any = None

    def on_start(self) -> None:
        self.line = self.shared.line(self.shared.person(self.kind))
        self.enter()
        self._stay = gevent.spawn(self.stay)

    def on_stop(self) -> None:
        if self._stay is not None:
            self._stay.kill()
        super().on_stop()


class ChatterUser(MemberUser):
    """Talks, at a share of the scenario's rate, within the limits."""

    kind = "chatters"

    def on_start(self) -> None:
        scenario = self.shared.plan.scenario
        self._pause = scenario.chatters / scenario.messages_per_second
        super().on_start()
        self.shared.talking.wait()
        number = self.line.who.number % scenario.chatters
        gevent.sleep(self._pause * number / scenario.chatters)  # one after the other, not all at once

    @task
    def talk(self) -> None:
        began = time.monotonic()
        if self.shared.talking.is_set():
            self._say(self.shared.message_id())
        gevent.sleep(max(0.0, began + self._pause - time.monotonic()))

    def _say(self, message_id: str) -> None:
        """Send until it is acknowledged: the same id is stored once."""
        body: dict[str, object] = {"stream_id": self.shared.room, "id": message_id, "text": PADDING}
        sent = self.shared.ledger.send(message_id)
        for _ in range(RETRIES):
            try:
                offset = self.line.ask("chat:send", body).offset
            except LineLost:
                gevent.sleep(0.5)  # our other greenlet brings us back
            except Refused as refusal:
                if str(refusal) not in {"room:not_joined", "room.not_joined", "service.unavailable"}:
                    return self.failed("chat:send", refusal)
                gevent.sleep(0.5)
            else:
                self.shared.figures.acks.add(time.monotonic() - sent)
                self.shared.ledger.acknowledged[offset] = message_id
                return self.told("chat:send", sent)
        return self.failed("chat:send", LineLost("never acknowledged"))


class ModeratorUser(MemberUser):
    """Reads everything and looks at who talks. Commands of a moderator are further tasks."""

    kind = "moderators"

    @task
    def look_at_chatters(self) -> None:
        gevent.sleep(LOOK_SECONDS)
        self._command("room:chatters", {})

    def _command(self, name: str, details: dict[str, object]) -> None:
        """Ask for something that only moderators may; a server that does not know it yet has not failed."""
        started = time.monotonic()
        try:
            self.line.ask(name, {"stream_id": self.shared.room, **details})
        except LineLost:
            return
        except Refused as refusal:
            if str(refusal) != "request.unknown_event":
                self.failed(name, refusal)
            return
        self.told(name, started)
