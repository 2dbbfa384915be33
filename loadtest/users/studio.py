"""Creators: they publish a picture of an encoder's own making, watch its health and end their stream.

The stream is open before anybody comes (`loadtest.scenarios`): Locust mixes arrivals, so a creator who had to open it
might come last, and everybody who waited would then rush in at once.
"""

from typing import Any, ClassVar

import gevent
from gevent import subprocess
from locust import FastHttpUser, task

from infra.children import ends_with_us
from loadtest.users.run import Run
from loadtest.users.stage import Caller

HEALTH_SECONDS = 5.0
STOP_SECONDS = 5.0
KEYFRAME_FRAMES = 25


class CreatorUser(FastHttpUser):
    """The first creator's stream is the room everybody goes to."""

    shared: ClassVar[Run]
    who: Caller
    _encoder: Any = None

    def on_start(self) -> None:
        self.who = self.shared.person("creators")
        if self.shared.plan.scenario.video:
            self._encoder = encode(self.shared.plan.ffmpeg, self.who.ingest)

    @task
    def watch_health(self) -> None:
        gevent.sleep(HEALTH_SECONDS)
        self.client.get("/api/v1/streams/mine", headers=self.who.headers, name="stream health")
        if self._encoder is not None and self._encoder.poll() is not None:
            self.shared.figures.errors["the encoder ended"] += 1
            self._encoder = None

    def on_stop(self) -> None:
        if self._encoder is not None:
            self._encoder.terminate()
            self._encoder.wait(STOP_SECONDS)
        path = f"/api/v1/streams/{self.who.stream_id}/stop"
        self.client.post(path, headers=self.who.headers, name="stop a stream")


def encode(ffmpeg: str, url: str) -> Any:
    """A test picture and a tone, small enough to leave the cores to the platform."""
    command = (
        ffmpeg, "-hide_banner", "-loglevel", "error", "-re",
        "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=44100",
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-threads", "1",
        "-g", str(KEYFRAME_FRAMES), "-b:v", "300k", "-c:a", "aac", "-b:a", "64k", "-f", "flv", url,
    )  # fmt: skip
    return subprocess.Popen(ends_with_us(command), stdin=subprocess.DEVNULL)
