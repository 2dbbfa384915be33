"""A stream that shows the time: the wall clock in ms is painted into every frame as 48 black or white squares.

A viewer who reads the squares off the screen knows how old the picture is, whatever lay between. Publisher and viewer
share one clock. Squares survive any encoder: each is a sixteenth of the width.
"""

import asyncio
import contextlib
import sys
import time

WIDTH, HEIGHT, RATE = 640, 360, 30
SQUARE = WIDTH // 16
BITS = 48
WHITE, BLACK = 235, 16

# Run in the page: reads the squares of the newest frame and keeps [seconds since load, age in ms].
READ_CLOCK = """
(video) => {
  const seen = window.__seen = {ages: [], stalls: 0, first: null};
  const canvas = document.createElement('canvas'), paint = canvas.getContext('2d', {willReadFrequently: true});
  video.addEventListener('waiting', () => { if (seen.first !== null) seen.stalls += 1; });
  const read = () => {
    const width = video.videoWidth, square = width / 16;
    if (width) {
      if (seen.first === null) seen.first = performance.now();
      canvas.width = width; canvas.height = Math.ceil(square * 3);
      paint.drawImage(video, 0, 0, width, square * 3, 0, 0, width, square * 3);
      const pixels = paint.getImageData(0, 0, width, canvas.height).data;
      let ms = 0, unclear = 0;
      for (let bit = 0; bit < 48; bit++) {
        const x = Math.floor((bit % 16 + 0.5) * square), y = Math.floor((Math.floor(bit / 16) + 0.5) * square);
        const green = pixels[(y * width + x) * 4 + 1];
        if (green > 80 && green < 175) unclear += 1;
        if (green > 128) ms += 2 ** bit;
      }
      if (!unclear) seen.ages.push([performance.now() / 1000, Date.now() - ms]);
    }
    video.requestVideoFrameCallback(read);
  };
  video.requestVideoFrameCallback(read);
}
"""


def frame(texture: bytes, moment_ms: int) -> bytes:
    """One picture in YUV 4:2:0: three rows of squares over a texture."""
    rows = []
    for line in range(3):
        bits = (moment_ms >> (line * 16 + column) & 1 for column in range(16))
        row = b"".join(bytes([WHITE if bit else BLACK]) * SQUARE for bit in bits)
        rows.append(row * SQUARE)
    squares = b"".join(rows)
    return squares + texture[len(squares) :]


def textures() -> list[bytes]:
    """Pictures that move, so that the encoder has something to do."""
    grey = bytes([128]) * (WIDTH * HEIGHT // 2)
    made = []
    for shift in range(32):
        row = bytes(80 + (column + shift * 2) // 4 % 64 for column in range(WIDTH))
        made.append(b"".join(row[line % 64 :] + row[: line % 64] for line in range(HEIGHT)) + grey)
    return made


def command(ffmpeg: str, url: str, keyframe_seconds: int) -> list[str]:
    """ffmpeg as a creator's encoder would be set: no look-ahead, regular keyframes, sound."""
    interval = str(RATE * keyframe_seconds)
    return [
        ffmpeg, "-hide_banner", "-loglevel", "error",
        "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "pipe:0",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100",
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-threads", "1",
        "-g", interval, "-keyint_min", interval, "-b:v", "1200k", "-c:a", "aac", "-b:a", "96k", "-f", "flv", url,
    ]  # fmt: skip


async def publish(ffmpeg: str, url: str, *, keyframe_seconds: int = 1) -> None:
    """Publish until cancelled, or until the ingest ends it."""
    process = await asyncio.create_subprocess_exec(
        *command(ffmpeg, url, keyframe_seconds), stdin=asyncio.subprocess.PIPE, stderr=sys.stderr
    )
    pictures, started, number = textures(), time.time(), 0
    try:
        while process.returncode is None and process.stdin:
            await asyncio.sleep(max(0.0, started + number / RATE - time.time()))
            process.stdin.write(frame(pictures[number % len(pictures)], int(time.time() * 1000)))
            await process.stdin.drain()
            number += 1
    except ConnectionError:
        pass  # ffmpeg is gone: the stream was stopped or refused, and it has said so itself
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
