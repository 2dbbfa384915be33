"""What is known of a source, and what is to be made of it. Values only: `probe.py` finds the first, `ladder.py` decides
the second, `encode.py` does it."""

import msgspec

AUDIO = "audio"  # the sound's folder and playlist, where a quality has "480p"


class VideoTrack(msgspec.Struct, frozen=True, kw_only=True):
    """The picture as it is shown: width and height after rotation and with square pixels."""

    codec: str
    profile: str
    width: int
    height: int
    fps: float
    pixel_format: str
    bitrate_bps: int
    rotation: int = 0
    interlaced: bool = False
    anamorphic: bool = False  # its pixels are not square
    # Seconds of every key frame when the picture could be kept as it is, else empty.
    keyframes: tuple[float, ...] = ()


class AudioTrack(msgspec.Struct, frozen=True, kw_only=True):
    codec: str
    channels: int
    sample_rate: int
    bitrate_bps: int


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """A source that may be transcoded. `start_seconds`: its first timestamp, taken as zero from here on."""

    container: str
    duration_seconds: float
    size_bytes: int
    video: VideoTrack
    audio: AudioTrack | None = None
    start_seconds: float = 0.0


class PlannedRendition(msgspec.Struct, frozen=True, kw_only=True):
    """One quality. `copy`: the source's own picture, only packaged anew."""

    name: str  # "480p": folder, playlist and resolution
    width: int
    height: int
    fps: float
    bitrate_bps: int  # of the picture, at most
    codecs: str  # for the master playlist, "avc1.64001f"
    copy: bool = False


class PlannedAudio(msgspec.Struct, frozen=True, kw_only=True):
    bitrate_bps: int
    copy: bool = False
    codecs: str = "mp4a.40.2"


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the video that is encoded at once: the segments `first` to before `end` of the plan's cuts."""

    number: int
    first: int
    end: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`cuts`: where each segment begins, in seconds, the same for all qualities, from 0; `renditions` lowest first."""

    duration_seconds: float
    cuts: tuple[float, ...]
    renditions: tuple[PlannedRendition, ...]
    audio: PlannedAudio | None
    chunks: tuple[Chunk, ...]


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A piece that is whole: `<rendition>/<number>.m4s`, with its true duration and size."""

    rendition: str
    number: int
    duration_seconds: float
    size_bytes: int
