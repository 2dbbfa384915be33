"""Who comes, how fast, for how long, and what may not be exceeded: every load scenario in one table.

Limits of the platform stay on, so each talker says at most 20 messages in 30 s and each client has its own address.
Read by the command (main environment) and by Locust (its own), so it needs nothing but the standard library.
"""

from dataclasses import dataclass

MESSAGES_IN_30_S = 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run must keep; milliseconds. Errors and viewers who are not whole are never allowed."""

    join_p99: float = 5000.0
    ack_p99: float = 500.0
    delivery_p99: float = 1000.0
    recovery_p99: float = 15_000.0
    http_p95: float = 500.0


@dataclass(frozen=True, slots=True)
class Storm:
    """So many of the viewers lose their connection in one moment, `after_seconds` into the talk."""

    after_seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """`watching` of the viewers play the video too. `seconds` is the talk, after everybody has come."""

    viewers: int
    chatters: int = 0
    moderators: int = 0
    creators: int = 1
    api: int = 0
    watching: int = 0
    video: bool = False
    commands: bool = False  # moderators act, and who talks votes and reacts
    seconds: float = 15.0
    messages_per_second: float = 0.0
    arrivals_per_second: float = 50.0
    storms: tuple[Storm, ...] = ()
    kill_node_after_seconds: float = 0.0  # 0: nobody is killed
    bounds: Bounds = Bounds()

    @property
    def users(self) -> int:
        return self.viewers + self.chatters + self.moderators + self.creators + self.api


SCENARIOS = {
    "smoke": Scenario(
        viewers=50, chatters=10, moderators=1, api=3, watching=5, video=True,
        seconds=15, messages_per_second=5, storms=(Storm(5, 0.2),),
    ),
    "room": Scenario(
        viewers=1000, chatters=40, moderators=2, seconds=60, messages_per_second=20, arrivals_per_second=100,
        storms=(Storm(20, 0.1),),
    ),
    "ten_thousand": Scenario(
        viewers=10_000, chatters=60, moderators=2, seconds=130, messages_per_second=20, arrivals_per_second=200,
        bounds=Bounds(ack_p99=1000, delivery_p99=1500),
    ),
    "storm": Scenario(
        viewers=5000, chatters=40, seconds=60, messages_per_second=15, arrivals_per_second=200,
        storms=(Storm(10, 0.5), Storm(30, 1.0)),
        bounds=Bounds(ack_p99=5000, delivery_p99=5000),
    ),
    "node_killed": Scenario(
        viewers=2000, chatters=40, seconds=60, messages_per_second=15, arrivals_per_second=200,
        kill_node_after_seconds=15, bounds=Bounds(ack_p99=5000, delivery_p99=5000),
    ),
    "api": Scenario(viewers=0, api=100, seconds=60, arrivals_per_second=20, bounds=Bounds(http_p95=250)),
    "party": Scenario(
        viewers=1500, chatters=60, moderators=4, creators=2, api=20, watching=40, video=True, seconds=90,
        messages_per_second=25, arrivals_per_second=60, storms=(Storm(30, 0.3),), bounds=Bounds(delivery_p99=2000),
        commands=True,
    ),
    "moderated": Scenario(
        viewers=300, chatters=40, moderators=3, seconds=60, messages_per_second=8, storms=(Storm(20, 0.3),),
        commands=True,
    ),
}  # fmt: skip
