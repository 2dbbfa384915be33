"""What the demo shows and says: the encoder's picture, and the lines of the room."""

import random
from collections.abc import Iterator
from pathlib import Path

TITLE = "Slow colours, quiet hours"
CATEGORY = "Ambient"
FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")
PLAIN_FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf")

# Small and enlarged: a gradient has no detail to lose, and this halves the work. Measured: a fifth of a core.
PICTURE = (
    "gradients=size=320x180:rate=15:nb_colors=6:speed=0.015:seed=7"
    ":c0=0x1b1040:c1=0x5b2a86:c2=0xd1495b:c3=0xf0a868:c4=0x2a6f97:c5=0x0b132b,"
    "scale=1280:720:flags=fast_bilinear,format=yuv420p,fps=30"
)
# Three soft tones that drift against each other.
SOUND = (
    "aevalsrc=exprs='0.05*sin(2*PI*110*t)*(1+sin(2*PI*0.05*t))+0.04*sin(2*PI*164.8*t)*(1+sin(2*PI*0.031*t))"
    "+0.03*sin(2*PI*220.5*t)*(1+sin(2*PI*0.023*t))':sample_rate=48000"
)

LINES = (
    "just got here, what did I miss?",
    "the violet part is my favourite so far",
    "putting this on the second screen while I cook",
    "the clock in the corner is oddly calming",
    "is that sunset meant to look like a slice of peach",
    "hello from a very rainy kitchen",
    "this pairs well with tea",
    "I blinked and it turned blue",
    "how far behind live is everybody? I see the clock change right away",
    "two seconds at most over here",
    "my cat is watching too, she votes for orange",
    "somebody should paint this",
    "good night from this side of the planet",
    "good morning from the other one!",
    "the low hum is nice with headphones",
    "wait for it, the dark blue comes back every few minutes",
    "I came for a minute, that was half an hour ago",
    "reading with this in the background, chapter nine",
    "who chose these colours? keep doing that",
    "my connection dropped and chat filled itself in again, neat",
    "anyone else seeing a coast line in it",
    "now I see it and cannot unsee it",
    "soup is ready, brb",
    "back, with soup",
)


def encoder_command(ffmpeg: str, target: str) -> list[str]:
    """Publish the picture and the sound to an RTMP address until stopped: 720p30, a keyframe every second."""
    return [
        ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error",
        "-re", "-f", "lavfi", "-i", PICTURE + _captions(), "-f", "lavfi", "-i", SOUND,
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1", "-pix_fmt", "yuv420p",
        "-g", "30", "-keyint_min", "30", "-sc_threshold", "0", "-b:v", "2500k",
        "-maxrate", "2500k", "-bufsize", "2500k",
        "-c:a", "aac", "-b:a", "96k", "-ac", "2",
        "-f", "flv", "-flvflags", "no_duration_filesize", target,
    ]  # fmt: skip


def _captions() -> str:
    font = _font()
    if font is None:  # a machine without any font gets the colours alone
        return ""
    draw = f"drawtext=fontfile='{font}':x=56:fontcolor=white:shadowcolor=black@0.4:shadowx=2:shadowy=2"
    clock = r"%{gmtime\:%T} UTC"
    return f",{draw}:y=560:fontsize=52:text='{TITLE}',{draw}:y=632:fontsize=36:text='{clock}'"


def _font() -> Path | None:
    found = sorted(file for folder in FONTS for file in Path(folder).rglob("*.ttf"))
    plain = (file for name in PLAIN_FONTS for file in found if file.name == name)
    return next(plain, found[0] if found else None)


def conversation(dice: random.Random) -> Iterator[str]:
    """Lines without an end; each comes once before any comes again."""
    while True:
        yield from dice.sample(LINES, len(LINES))
