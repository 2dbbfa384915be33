"""People who are signed in: those who talk, and those who look after the talk."""

import random
import time
from collections.abc import Container, Mapping
from itertools import cycle
from typing import Any

import gevent
from locust import task

from loadtest.users.line import LineLost, Refused
from loadtest.users.viewers import RoomUser

PADDING = "we were all here when it happened, weren't we"  # an entry is 212 bytes then, as in the figures' method
RETRIES = 10
LOOK_SECONDS = 10.0
COMMAND_SECONDS = 2.0
ASIDE_SHARE = 0.1  # of the times somebody talks they vote or react as well
# A room that is moderated says these to who talks; everything else is a failure.
MODERATED = frozenset({"chat.banned", "chat.slow_mode", "chat.too_fast"})
VOTED = frozenset({"poll.closed", "poll.voted"})
GONE = frozenset({"mod.message_gone", "mod.already_so", "poll.open"})  # another moderator was quicker


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

    def _command(self, name: str, details: Mapping[str, object], allowed: Container[str] = ()) -> None:
        """Ask for something; what is `allowed` to be refused has not failed."""
        started = time.monotonic()
        try:
            self.line.ask(name, {"stream_id": self.shared.room, **details})
        except LineLost:
            return
        except Refused as refusal:
            if str(refusal) not in allowed:
                self.failed(name, refusal)
            return
        self.told(name, started)


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
            if self.shared.plan.scenario.commands and random.random() < ASIDE_SHARE:
                self._command("chat:react", {"reaction": "heart"}, MODERATED)
                vote = {"id": self.shared.message_id(), "line": f"/vote {random.randint(1, 2)}"}
                self._command("chat:command", vote, MODERATED | VOTED)
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
                if self.shared.plan.scenario.commands and str(refusal) in MODERATED:
                    return None
                if str(refusal) not in {"room:not_joined", "room.not_joined", "service.unavailable"}:
                    return self.failed("chat:send", refusal)
                gevent.sleep(0.5)
            else:
                self.shared.figures.acks.add(time.monotonic() - sent)
                self.shared.ledger.acknowledged[offset] = message_id
                self.shared.last_said = (self.line.who.user_id, message_id)
                return self.told("chat:send", sent)
        return self.failed("chat:send", LineLost("never acknowledged"))


class ModeratorUser(MemberUser):
    """Reads everything and looks at who talks; where the scenario has commands, one of each kind in turn."""

    kind = "moderators"

    def on_start(self) -> None:
        self._kinds = cycle((self._delete, self._time_out, self._slow, self._poll, self._delete, self._not_slow))
        super().on_start()

    @task
    def look_at_chatters(self) -> None:
        gevent.sleep(LOOK_SECONDS)
        self._command("room:chatters", {})

    @task(5)
    def moderate(self) -> None:
        gevent.sleep(COMMAND_SECONDS)
        if self.shared.plan.scenario.commands and self.shared.talking.is_set() and self.shared.last_said[0]:
            next(self._kinds)()

    def _delete(self) -> None:
        user, message = self.shared.last_said
        self._command("mod:delete", {"user_id": user, "message_id": message}, GONE)

    def _time_out(self) -> None:
        self._command("mod:timeout", {"user_id": self.shared.last_said[0], "seconds": 5}, GONE)

    def _slow(self) -> None:
        self._command("mod:settings", {"slow_seconds": 3}, GONE)

    def _not_slow(self) -> None:
        self._command("mod:settings", {"slow_seconds": 0}, GONE)

    def _poll(self) -> None:
        self._command("poll:open", {"question": "Left?", "choices": ["Yes", "No"], "seconds": 15}, GONE)
