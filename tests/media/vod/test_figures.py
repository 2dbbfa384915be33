"""What Prometheus sees of transcoding."""

import pytest

from infra.metrics import Metrics
from infra.stores.postgres import Postgres
from media.catalog.model import Failure
from media.vod.figures import QueueFigures, TaskFigures
from media.vod.tasks import Again, Drop, GiveUp, Verdict
from tests.media.vod.work import NOON, Work, a_plan

FAILURE = Failure("transcode.failed", "No.", retryable=True, at=NOON)


@pytest.fixture
def work(db: Postgres) -> Work:
    return Work(db)


def read(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"footlight_transcode_{name}", labels)


async def test_a_task_that_is_done_counts_the_video_it_made_and_how_fast(work: Work) -> None:
    await work.prepared(a_plan(audio=False))
    lease = await work.claimed()
    while lease.kind != "low":
        lease = await work.claimed()
    metrics = Metrics()
    figures = TaskFigures(metrics)
    figures.done(lease, 0.5)  # 4 seconds of video
    assert read(metrics, "attempts_total", kind="low", ended="done") == 1
    assert read(metrics, "video_seconds_total", kind="low") == 4
    assert read(metrics, "speed_sum", kind="low") == 8
    assert read(metrics, "speed_bucket", kind="low", le="5.0") == 0


async def test_a_task_that_makes_no_video_counts_no_seconds(work: Work) -> None:
    await work.requested()
    metrics = Metrics()
    TaskFigures(metrics).done(await work.claimed(), 0.5)
    assert read(metrics, "attempts_total", kind="prepare", ended="done") == 1
    assert read(metrics, "video_seconds_total", kind="prepare") is None


@pytest.mark.parametrize(
    ("verdict", "ended"),
    [
        (Again(1.0, counts=True), "again"),
        (Again(1.0, counts=False), "excused"),
        (GiveUp(FAILURE), "given_up"),
        (Drop(), "lost"),
    ],
)
async def test_every_end_of_an_attempt_has_its_name(work: Work, verdict: Verdict, ended: str) -> None:
    await work.requested()
    metrics = Metrics()
    figures = TaskFigures(metrics)
    figures.ended_badly(await work.claimed(), verdict)
    assert read(metrics, "attempts_total", kind="prepare", ended=ended) == 1
    assert (read(metrics, "leases_lost_total", noticed="holder") == 1) == (ended == "lost")
    figures.freed(3)
    assert read(metrics, "leases_lost_total", noticed="housekeeping") == 3


async def test_the_queue_is_counted_as_it_stands(work: Work) -> None:
    metrics = Metrics()
    queue = QueueFigures(metrics, work.db)
    await queue.look()
    assert (read(metrics, "tasks", state="waiting"), read(metrics, "tasks", state="running")) == (0, 0)
    for _ in range(3):
        await work.requested()
    await work.claimed()
    await work.leases.give_up(await work.claimed(), FAILURE)
    await queue.look()
    failed = read(metrics, "failed_videos")
    assert (read(metrics, "tasks", state="waiting"), failed) == (1, 1)
