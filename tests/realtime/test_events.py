"""What a client sends is taken as it is written down, and nothing beside."""

import msgspec
import pytest

from realtime.events import JoinRoom, SendMessage


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JoinRoom, {"stream_id": "abc\n"}),
        (JoinRoom, {"stream_id": "abc", "epoch": "a1\n", "offset": 1}),
        (SendMessage, {"stream_id": "abc", "id": "12345678\n", "text": "hello"}),
    ],
)
def test_a_line_break_at_the_end_makes_a_name_invalid(kind: type[msgspec.Struct], body: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=kind)
