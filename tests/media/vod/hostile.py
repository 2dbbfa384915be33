"""Files that mean harm, made by hand: each says it is a video and is not, or is one that wants more than it should."""

import asyncio
import io
import struct
import zipfile
from pathlib import Path

from tests.media.vod.sources import draw

VINT_8 = 0x01 << 56
NONE = 0xFFFFFFFF


def box(kind: bytes, *content: bytes) -> bytes:
    """MP4."""
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def chunk(kind: bytes, *content: bytes) -> bytes:
    """RIFF."""
    body = b"".join(content)
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def element(kind: int, content: bytes) -> bytes:
    """Matroska, with a length of eight bytes."""
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (VINT_8 | len(content)).to_bytes(8, "big") + content


FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")


def many_tracks_mp4(count: int) -> bytes:
    return FTYP + box(b"moov", box(b"mvhd", bytes(100)), box(b"trak") * count)


def many_tracks_matroska(count: int) -> bytes:
    header = element(0x1A45DFA3, element(0x4282, b"matroska"))
    track = element(
        0xAE,
        element(0xD7, b"\1")
        + element(0xE0, element(0xB0, b"\x40") + element(0xBA, b"\x24"))
        + element(0x83, b"\1")
        + element(0x86, b"V_VP8"),
    )
    cluster = element(0x1F43B675, element(0xE7, b"\0") + element(0xA3, b"\x81\0\0\x80" + bytes(99)))
    return header + element(0x18538067, element(0x1654AE6B, track * count) + cluster)


def nested_boxes(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = box(b"moov", inner)
    return FTYP + inner


def avi(width: int, height: int, frames: list[bytes], subtitle: bytes = b"") -> bytes:
    """Raw pictures, and a track of text that carries a file within a file (GAB2)."""
    stream = struct.pack("<4s4sIHHIIIIIIII8s", b"vids", b"DIB ", 0, 0, 0, 0, 1, 25, 0, len(frames), 768, 0, 0, b"")
    picture = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, bytes(4), 0, 0, 0, 0, 0)
    lists = chunk(b"LIST", b"strl", chunk(b"strh", stream), chunk(b"strf", picture))
    data = b"".join(chunk(b"00db", frame) for frame in frames)
    if subtitle:
        text = struct.pack("<4s4sIHHIIIIIIII8s", b"txts", bytes(4), 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, b"")
        lists += chunk(b"LIST", b"strl", chunk(b"strh", text), chunk(b"strf"))
        name = "\0".join("text") + "\0\0\0"
        gab2 = b"GAB2\0" + struct.pack("<HI", 2, len(name)) + name.encode() + struct.pack("<HI", 4, len(subtitle))
        data = chunk(b"01tx", gab2 + subtitle) + data
    header = struct.pack(
        "<14I", 40_000, 0, 0, 0x10, len(frames), 0, 1 + bool(subtitle), 0, width & NONE, height & NONE, 0, 0, 0, 0
    )
    return chunk(
        b"RIFF", b"AVI ", chunk(b"LIST", b"hdrl", chunk(b"avih", header), lists), chunk(b"LIST", b"movi", data)
    )


def png(width: int, height: int) -> bytes:
    """Its header alone."""
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + content + bytes(4) + chunk(b"IEND")


def disguises(url: str, other: Path) -> dict[str, bytes]:
    """Things that name another file or host, under the name of a video."""
    lines = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
    dash = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S">'
        "<Period><AdaptationSet mimeType='video/mp4'><Representation id='1' bandwidth='1'><BaseURL>{}</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>"
    )
    playlist = lines.format(f"{url}/a.ts").encode()
    return {
        "playlist with a host": playlist,
        "playlist with another's file": lines.format(other).encode(),
        "playlist with a file URL": lines.format(f"file://{other}").encode(),
        "playlist with a concatenation": lines.format(f"concat:{url}/a|file:{other}").encode(),
        "playlist with another's name beside it": lines.format(other.name).encode(),
        "concat list with a host": f"ffconcat version 1.0\nfile {url}/a.ts\n".encode(),
        "concat list with another's file": f"ffconcat version 1.0\nfile '{other}'\n".encode(),
        "DASH with a host": dash.format(f"{url}/a.mp4").encode(),
        "DASH with another's file": dash.format(other).encode(),
        "session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
        b"a=rtpmap:96 H264/90000\n",
        "drawing with a script and a picture": f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="36"><script>alert(1)</script>'
        f'<image xlink:href="file://{other}" width="64" height="36"/></svg>'.encode(),
        "huge picture": png(60_000, 20_000),
        "small picture": png(64, 36),
        "picture that is a script": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//",
        "text art": b"XBIN\x1a" + struct.pack("<HHBB", 80, 25, 16, 0) + bytes(4000),
    }


def broken() -> dict[str, bytes]:
    """Files that are nothing, or a header that promises too much."""
    return {
        "nothing": b"",
        "text": b"This is not a video.\n" * 500,
        "noise": bytes(number * number * 7919 >> 5 & 255 for number in range(20_000)),
        "zeros": bytes(100_000),
        "header alone": FTYP,
        "a hundred thousand tracks, MP4": many_tracks_mp4(100_000),
        "a hundred thousand tracks, Matroska": many_tracks_matroska(100_000),
        "boxes in boxes": nested_boxes(20_000),
        "a box that is longer than the file": FTYP + b"\x7f\xff\xff\xffmoov",
        "a box of 2^63 bytes": FTYP + b"\0\0\0\1moov\x7f" + b"\xff" * 7,
        "a picture of 60000x20000": avi(60_000, 20_000, [bytes(768)]),
        "a picture of 8K": avi(7680, 4320, [bytes(768)]),
        "a picture of minus one": avi(-1, -1, [bytes(768)]),
    }


async def with_duration(file: Path, seconds: float) -> Path:
    """A Matroska file of two seconds that says it is as long as that."""
    await draw(file, seconds=2.0, sound=None)
    data = await asyncio.to_thread(file.read_bytes)
    at = data.index(b"\x44\x89\x88") + 3  # Duration, eight bytes of a float, in milliseconds
    await asyncio.to_thread(file.write_bytes, data[:at] + struct.pack(">d", seconds * 1000) + data[at + 8 :])
    return file


def zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()
