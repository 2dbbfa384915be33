"""A stand-in for MediaConvert that speaks its REST protocol and really encodes, with ffmpeg, what a job asks for.

What the service itself would make of a request nobody here can know; files are named as its documentation says.
"""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from aiohttp import web

from infra.clock import new_id
from infra.stores.objects import Objects
from tests.media.publisher import ffmpeg

VERSION = "/2017-08-29"


@dataclass
class StandIn:
    """`jobs` by their ids, as the service tells of them; `broken`: answers with this status instead."""

    objects: Objects
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    broken: int = 0
    url: str = ""

    # --- what a test tells it

    async def work(self) -> None:
        """Do every job that was asked for."""
        for job in self.jobs.values():
            if job["status"] == "SUBMITTED":
                await self._encode(job)
                job["status"] = "COMPLETE"

    def fail(self, code: int) -> None:
        """Every job that was asked for ends so."""
        for job in self.jobs.values():
            if job["status"] == "SUBMITTED":
                job.update(status="ERROR", errorCode=code, errorMessage="it could not be done")

    def statuses(self) -> list[str]:
        return [job["status"] for job in self.jobs.values()]

    # --- what it answers

    async def probe(self, request: web.Request) -> web.Response:
        key = (await request.json())["inputFiles"][0]["fileUrl"].split("/", 3)[3]
        data = await self.objects.read(key)
        try:
            result = await asyncio.to_thread(_probed, data)
        except av.error.FFmpegError:
            return web.json_response({"message": "unsupported"}, status=400, headers=_error("BadRequestException"))
        return web.json_response({"probeResults": [result]})

    async def create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.requests.append(asked)
        for job in self.jobs.values():
            if job["clientRequestToken"] == asked["clientRequestToken"]:
                return web.json_response({"job": job}, status=201)
        job = {**asked, "id": f"1700000000000-{new_id()[-6:]}", "status": "SUBMITTED", "jobPercentComplete": 0}
        self.jobs[job["id"]] = job
        return web.json_response({"job": job}, status=201)

    async def find(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"message": "no"}, status=404, headers=_error("NotFoundException"))
        return web.json_response({"job": job})

    async def cancel(self, request: web.Request) -> web.Response:
        self.jobs[request.match_info["id"]]["status"] = "CANCELED"
        return web.json_response({}, status=202)

    @web.middleware
    async def breaking(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.broken:
            return web.json_response(
                {"message": "no"}, status=self.broken, headers=_error("InternalServerErrorException")
            )
        answer: web.StreamResponse = await handler(request)
        return answer

    # --- the work

    async def _encode(self, job: dict[str, Any]) -> None:
        asked = job["settings"]
        source = await self.objects.read(asked["inputs"][0]["fileInput"].split("/", 3)[3])
        with tempfile.TemporaryDirectory() as folder:
            film, out = Path(folder) / "film", Path(folder) / "out"
            out.mkdir()
            film.write_bytes(source)
            for group in asked["outputGroups"]:
                (settings,) = (value for value in group["outputGroupSettings"].values() if isinstance(value, dict))
                prefix, _, base = settings["destination"].split("/", 3)[3].rpartition("/")
                for output in group["outputs"]:
                    await _run(film, _command(base, output), out)
            for file in out.iterdir():
                await self.objects.call("put_object", Key=f"{prefix}/{file.name}", Body=file.read_bytes())


def _command(base: str, output: dict[str, Any]) -> list[str]:
    """ffmpeg's words for one output."""
    name = base + output.get("nameModifier", "")
    hls = [
        "-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
        "-hls_fmp4_init_filename", f"{name}init.cmfv", "-hls_segment_filename", f"{name}_%09d.cmfv", f"{name}.m3u8",
    ]  # fmt: skip
    if "audioDescriptions" in output:
        return ["-map", "0:a:0", "-c:a", "aac", "-b:a", "128k", *hls]
    video = output["videoDescription"]
    size = f"scale={video['width']}:{video['height']},setsar=1"
    if "frameCaptureSettings" in video["codecSettings"]:
        capture = video["codecSettings"]["frameCaptureSettings"]
        rate = Fraction(capture["framerateNumerator"], capture["framerateDenominator"])
        frames = ["-vf", f"fps={rate}:round=up,{size}", "-frames:v", str(capture["maxCaptures"])]
        return ["-map", "0:v:0", *frames, "-start_number", "0", f"{name}.%07d.jpg"]
    h264 = video["codecSettings"]["h264Settings"]
    rate = Fraction(h264["framerateNumerator"], h264["framerateDenominator"])
    gop = str(round(h264["gopSize"] * rate))
    return [
        "-map", "0:v:0", "-vf", size, "-r", str(rate), "-c:v", "libx264", "-preset", "ultrafast", "-g", gop,
        "-keyint_min", gop, "-sc_threshold", "0", "-maxrate", str(h264["maxBitrate"]), "-bufsize",
        str(h264["hrdBufferSize"]), "-pix_fmt", "yuv420p", *hls,
    ]  # fmt: skip


async def _run(film: Path, words: list[str], out: Path) -> None:
    process = await asyncio.create_subprocess_exec(ffmpeg(), "-v", "error", "-y", "-i", str(film), *words, cwd=out)
    assert await process.wait() == 0


def _probed(data: bytes) -> dict[str, Any]:
    with av.open(io.BytesIO(data), mode="r") as container:
        tracks: list[dict[str, Any]] = []
        for stream in container.streams.video:
            rate = stream.average_rate or Fraction(25)
            tracks.append({
                "trackType": "video", "codec": "AVC",
                "videoProperties": {
                    "width": stream.width, "height": stream.height, "bitRate": stream.bit_rate or 0,
                    "frameRate": {"numerator": rate.numerator, "denominator": rate.denominator},
                    "codecMetadata": {"scanType": "progressive", "profile": "High"},
                },
            })  # fmt: skip
        for sound in container.streams.audio:
            about = {"channels": sound.channels, "sampleRate": sound.sample_rate, "bitRate": sound.bit_rate or 0}
            tracks.append({"trackType": "audio", "codec": "AAC", "audioProperties": about})
        seconds = (container.duration or 0) / 1e6
    return {"container": {"format": "mp4", "duration": seconds, "tracks": tracks}}


def _error(code: str) -> dict[str, str]:
    return {"x-amzn-ErrorType": code}


@asynccontextmanager
async def stand_in(objects: Objects, port: int) -> AsyncIterator[StandIn]:
    """Until the block is left."""
    service = StandIn(objects, url=f"http://127.0.0.1:{port}")
    app = web.Application(middlewares=[service.breaking])
    app.router.add_post(f"{VERSION}/probe", service.probe)
    app.router.add_post(f"{VERSION}/jobs", service.create)
    app.router.add_get(f"{VERSION}/jobs/{{id}}", service.find)
    app.router.add_delete(f"{VERSION}/jobs/{{id}}", service.cancel)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield service
    finally:
        await runner.cleanup()
