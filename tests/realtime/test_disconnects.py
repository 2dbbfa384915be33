"""The one table of reasons: its ranges, and that documents and web client say the same."""

import re
from pathlib import Path

import pytest

from realtime.disconnects import COME_BACK, DISCONNECTS, STAY_AWAY

ROOT = Path(__file__).parents[2]


def test_the_range_of_a_number_says_whether_to_come_back() -> None:
    assert [one.number in COME_BACK for one in DISCONNECTS] == [one.reconnect for one in DISCONNECTS]
    assert all(one.number in COME_BACK or one.number in STAY_AWAY for one in DISCONNECTS)
    assert len({one.number for one in DISCONNECTS}) == len({one.code for one in DISCONNECTS}) == len(DISCONNECTS)


@pytest.mark.parametrize(
    ("file", "row"),
    [
        ("docs/events.md", r"^\| {code} \| {number} \| {message} \|"),
        (
            "http/web/src/realtime/events.ts",
            r'^  "{code}": {{ number: {number}, message: "{message}", reconnect: {again} }}',
        ),
    ],
)
def test_documents_and_web_client_have_the_same_table(file: str, row: str) -> None:
    text = (ROOT / file).read_text()
    for one in DISCONNECTS:
        line = row.format(
            code=re.escape(one.code),
            number=one.number,
            message=re.escape(one.message),
            again=str(one.reconnect).lower(),
        )
        assert re.search(line, text, re.MULTILINE), (one.code, file)


def test_the_web_client_draws_the_line_between_the_ranges_where_the_server_does() -> None:
    text = (ROOT / "http/web/src/realtime/comeBack.ts").read_text()
    assert f"FIRST_TO_STAY_AWAY = {STAY_AWAY.start};" in text
    assert f"LAST_TO_STAY_AWAY = {STAY_AWAY.stop - 1};" in text
