"""What RFC 6455 says about a byte stream, as `wsproto` understands it.

`wsproto` has no limit for a message and judges the order of data frames only when their payload comes: both are done
here where its header parser ends. It does not know close code 1014, which is added. And it decodes text as it arrives,
a choice that the RFC leaves open (8.1 says only that the connection must fail): `late_text` decodes a message when it
is complete instead. A parser must agree with one of the two from the first byte to the last.
"""

from typing import Any

from wsproto.frame_protocol import CloseReason, Frame, FrameDecoder, FrameProtocol, MessageDecoder, Opcode, ParseFailed

BAD_GATEWAY = 1014
Message = tuple[int, str | bytes]


class LimitedFrames(FrameDecoder):
    """Fails with 1002 at a data frame out of order, with 1009 when headers announce more than `max_bytes` together."""

    in_message = False

    def __init__(self, max_bytes: int) -> None:
        super().__init__(client=False)
        self._max_bytes, self._announced = max_bytes, 0

    def parse_header(self) -> bool:
        complete = super().parse_header()
        if complete and self.header is not None and not self.header.opcode.iscontrol():
            if (self.header.opcode is Opcode.CONTINUATION) != self.in_message:
                raise ParseFailed("out of order", CloseReason.PROTOCOL_ERROR)
            self._announced = self.header.payload_len + (self._announced if self.in_message else 0)
            self.in_message = not self.header.fin
            if self._announced > self._max_bytes:
                raise ParseFailed("too large", CloseReason.MESSAGE_TOO_BIG)
        return complete

    def too_large(self, begun: bytes) -> bool:
        """Whether a sound header of which only the mask is missing announces too much."""
        if len(begun) < 2 or begun[0] & 8:
            return False
        short, width = begun[1] & 127, {126: 2, 127: 8}.get(begun[1] & 127, 0)
        length = int.from_bytes(begun[2 : 2 + width], "big") if width else short
        return len(begun) >= 2 + width and length + (self._announced if self.in_message else 0) > self._max_bytes


class KnownCloses(FrameProtocol):
    """Takes 1014 (bad gateway) for what it is: registered with IANA after the RFC, and unknown to wsproto 1.3."""

    def _process_close(self, frame: Frame) -> Frame:
        payload = bytes(frame.payload)  # type: ignore[arg-type]  # bytes until it is processed
        if payload[:2] != BAD_GATEWAY.to_bytes(2, "big"):
            return super()._process_close(frame)
        closed = super()._process_close(frame._replace(payload=(BAD_GATEWAY - 1).to_bytes(2, "big") + payload[2:]))
        return closed._replace(payload=(BAD_GATEWAY, closed.payload[1]))  # type: ignore[arg-type]  # its reason


class LateText(MessageDecoder):
    """Leaves text as bytes; whoever joins the parts decodes them."""

    text = False

    def process_frame(self, frame: Frame) -> Frame:
        if self.opcode is None:
            self.text = frame.opcode is Opcode.TEXT
        return super().process_frame(frame._replace(opcode=Opcode.BINARY) if frame.opcode is Opcode.TEXT else frame)


class Reference:
    """`wsproto`'s server side behind the interface of our parser."""

    def __init__(self, max_bytes: int, *, late_text: bool = False) -> None:
        self.failed = 0
        self.closed = False
        self._parts: list[Any] = []
        self._protocol = KnownCloses(client=False, extensions=[])
        self._protocol._frame_decoder = self._frames = LimitedFrames(max_bytes)
        self._late = LateText() if late_text else None
        if self._late is not None:
            self._protocol._message_decoder = self._late

    def feed(self, data: bytes) -> list[Message]:
        heard: list[Message] = []
        if self.failed or self.closed:
            return heard
        self._protocol.receive_bytes(data)
        try:
            for frame in self._protocol.received_frames():
                if frame.opcode is Opcode.CLOSE:
                    self.closed = True
                    heard.append((8, _close_payload(frame.payload)))
                elif frame.opcode.iscontrol():
                    heard.append((int(frame.opcode), bytes(frame.payload)))  # type: ignore[arg-type]  # bytes
                else:
                    self._parts.append(frame.payload)
                    if frame.message_finished:
                        heard.append(self._joined(frame.opcode))
        except ParseFailed as wrong:
            self.failed = int(wrong.code)
        return heard

    def doomed(self) -> int:
        """What the part of the next header that has arrived fails with already; `wsproto` judges only whole headers."""
        if self.failed or self.closed or self._frames.header is not None:
            return 0
        begun = bytes(self._frames.buffer.buffer)
        if header_is_wrong(begun, in_message=self._frames.in_message):
            return 1002
        return 1009 if self._frames.too_large(begun) else 0

    def _joined(self, opcode: Opcode) -> Message:
        parts, self._parts = self._parts, []
        if self._late is None:
            return (int(opcode), parts[0] if len(parts) == 1 else type(parts[0])().join(parts))
        if not self._late.text:
            return (2, b"".join(parts))
        try:
            return (1, b"".join(parts).decode())
        except UnicodeDecodeError as wrong:
            raise ParseFailed(str(wrong), CloseReason.INVALID_FRAME_PAYLOAD_DATA) from None


def header_is_wrong(begun: bytes, *, in_message: bool) -> bool:
    """Whether no header that starts with these bytes (RFC 6455, 5.2) may follow from a client now."""
    return bool(begun) and (
        _kind_is_wrong(begun[0], in_message=in_message)
        or (len(begun) > 1 and (not begun[1] & 128 or (begun[0] & 8 != 0 and begun[1] & 127 > 125)))
        or (len(begun) > 2 and _length_is_wrong(begun[1] & 127, begun[2:]))
    )


def _kind_is_wrong(first: int, *, in_message: bool) -> bool:
    opcode, fin = first & 15, first & 128
    if first & 0x70 or opcode not in (0, 1, 2, 8, 9, 10):
        return True
    return not fin if opcode > 2 else (opcode == 0) != in_message


def _length_is_wrong(short: int, length: bytes) -> bool:
    if short == 126:
        return len(length) >= 2 and int.from_bytes(length[:2], "big") < 126
    return short == 127 and (length[0] >= 128 or (len(length) >= 6 and not any(length[:6])))


def _close_payload(payload: Any) -> bytes:
    code, reason = payload
    return b"" if code == CloseReason.NO_STATUS_RCVD else int(code).to_bytes(2, "big") + reason.encode()
