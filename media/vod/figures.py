"""What transcoding shows to Prometheus: the tasks of one process, and the queue that all of them share.

footlight_transcode_attempts_total{kind, ended}   done, again, excused (not the video's fault), given_up, put_down, lost
footlight_transcode_video_seconds_total{kind}     seconds of video made: sound, the lowest quality, all others
footlight_transcode_speed{kind}                   of those tasks: seconds of video in a second, fetching included
footlight_transcode_leases_lost_total{noticed}    by their holder, or by housekeeping, which frees tasks of the dead
footlight_transcode_tasks{state}                  waiting and running, of all transcoders (shown by workers)
footlight_transcode_failed_videos                 given up and not tried again (shown by workers)
"""

from prometheus_client import Counter, Gauge, Histogram

from infra.metrics import Metrics
from infra.stores.postgres import Postgres
from media.vod.steps import length_of
from media.vod.task_repository import Lease, TaskRepository
from media.vod.tasks import Again, Drop, GiveUp, Verdict

LOOK_SECONDS = 15.0
SPEEDS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 50.0, 100.0)
TIMED = frozenset({"low", "high", "audio"})


def ended_of(verdict: Verdict) -> str:
    match verdict:
        case Again(counts=counts):
            return "again" if counts else "excused"
        case GiveUp():
            return "given_up"
        case Drop():
            return "lost"


class TaskFigures:
    """Of the tasks of this process."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._attempts = Counter(
            "footlight_transcode_attempts", "Tasks that ended, and how", ("kind", "ended"), registry=registry
        )
        self._made = Counter("footlight_transcode_video_seconds", "Seconds of video made", ("kind",), registry=registry)
        self._speed = Histogram(
            "footlight_transcode_speed",
            "Seconds of video that a task made in a second",
            ("kind",),
            buckets=SPEEDS,
            registry=registry,
        )
        self._lost = Counter(
            "footlight_transcode_leases_lost",
            "Leases lost, as their holder or housekeeping noticed",
            ("noticed",),
            registry=registry,
        )

    def done(self, lease: Lease, wall_seconds: float) -> None:
        self._attempts.labels(lease.kind, "done").inc()
        if lease.kind in TIMED and lease.plan is not None:
            seconds = length_of(lease.plan, lease)
            self._made.labels(lease.kind).inc(seconds)
            self._speed.labels(lease.kind).observe(seconds / max(wall_seconds, 0.001))

    def ended_badly(self, lease: Lease, verdict: Verdict) -> None:
        self._attempts.labels(lease.kind, ended_of(verdict)).inc()
        if isinstance(verdict, Drop):
            self._lost.labels("holder").inc()

    def put_down(self, lease: Lease) -> None:
        self._attempts.labels(lease.kind, "put_down").inc()

    def freed(self, leases: int) -> None:
        """Of others, by housekeeping."""
        self._lost.labels("housekeeping").inc(leases)


class QueueFigures:
    """Of the queue; `look` now and then."""

    def __init__(self, metrics: Metrics, db: Postgres) -> None:
        self._db = db
        self._repository = TaskRepository()
        self._tasks = Gauge(
            "footlight_transcode_tasks", "Tasks of all transcoders", ("state",), registry=metrics.registry
        )
        self._failed = Gauge(
            "footlight_transcode_failed_videos", "Videos given up, not tried again", registry=metrics.registry
        )

    async def look(self) -> None:
        """Raises `PostgresUnavailable`."""
        async with self._db.connection() as connection:
            queue = await self._repository.queue(connection)
        self._tasks.labels("waiting").set(queue.waiting)
        self._tasks.labels("running").set(queue.running)
        self._failed.set(queue.failed_videos)
