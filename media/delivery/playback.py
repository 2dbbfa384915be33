"""Letting somebody in: the decision, and then the cookies that open the edge."""

from accounts.model import Identity
from media.catalog.model import Video
from media.delivery.entitlement import Gate, is_open_to_all, require_watching
from media.delivery.signing import Pass, PlaybackSigner
from media.live.state import Stream


class Playback:
    """Both raise what `require_watching` raises."""

    def __init__(self, signer: PlaybackSigner) -> None:
        self._signer = signer

    def of_video(self, video: Video, viewer: Identity | None) -> Pass:
        require_watching(Gate.of_video(video), viewer)
        return self._signer.for_video(video.id)

    def of_stream(self, stream: Stream, viewer: Identity | None) -> Pass:
        gate = Gate.of_stream(stream)
        require_watching(gate, viewer)
        return self._signer.for_stream(stream.playback_id, open_to_all=is_open_to_all(gate))
