"""What a run measured, counted where it happens and written once at the end. Pure."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

LONGEST_MS = 60_000


class Times:
    """Durations in buckets of a millisecond; adding one costs a tenth of a microsecond and no memory."""

    def __init__(self) -> None:
        self.buckets = [0] * (LONGEST_MS + 1)

    def add(self, seconds: float) -> None:
        self.buckets[min(LONGEST_MS, max(0, int(seconds * 1000)))] += 1

    def summary(self) -> "Summary":
        count = sum(self.buckets)
        p50, p95, p99, top = (self._percentile(count, share) for share in (0.5, 0.95, 0.99, 1.0))
        return Summary(count, p50, p95, p99, top)

    def _percentile(self, count: int, share: float) -> int:
        """Nearest rank, the upper end of its bucket; 0 when nothing was added."""
        rank, met = max(1, -(-count * share // 1)), 0
        for ms, amount in enumerate(self.buckets):
            met += amount
            if amount and met >= rank:
                return ms + 1
        return 0


class Summary(Struct, frozen=True):
    """Milliseconds."""

    count: int = 0
    p50: int = 0
    p95: int = 0
    p99: int = 0
    max: int = 0


class Figures:
    """Shared by all users of the process."""

    def __init__(self) -> None:
        self.joins = Times()
        self.acks = Times()
        self.deliveries = Times()
        self.recoveries = Times()
        self.errors: Counter[str] = Counter()
        self.connects = 0
        self.lost = 0

    def delivered(self, now: float, sent: Sequence[float]) -> None:
        buckets = self.deliveries.buckets
        for moment in sent:
            ms = int((now - moment) * 1000)
            buckets[ms if ms < LONGEST_MS else LONGEST_MS] += 1


class Result(Struct, frozen=True, kw_only=True):
    """What Locust's process hands back. Moments are of the machine's monotonic clock."""

    joins: Summary
    acks: Summary
    deliveries: Summary
    recoveries: Summary
    http_p95: float
    http_requests: int
    errors: dict[str, int]
    talk_began: float
    talk_ended: float
    viewers: int
    present: int
    acknowledged: int
    wrong: int
    not_whole: int
    repeated: int
    gaps: int
    resets: int
    connections_lost: int
    generator_cpu_seconds: float
    generator_memory_mb: float
