"""Logs, as a process prints them: every line is JSON, tells its story's id, and gives no secret away."""

import json
import subprocess
import sys
from typing import Any

import pytest

from infra.logs import correlated, correlation_id


def printed(code: str, style: str = "json", level: str = "INFO") -> str:
    """What a process that configures logs and runs `code` writes. Of its own, because logs are one for a process."""
    program = (
        "import logging\nfrom infra.logs import configure_logs, correlated, get_logger\n"
        f"configure_logs({level!r}, {style!r}, 'worker')\nlog = get_logger('media.live')\n{code}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def lines(code: str, **more: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed(code, **more).removesuffix("\n").split("\n")]


def test_a_line_names_its_part_its_module_and_its_moment() -> None:
    [line] = lines("log.info('stream.live', stream_id='s1', viewers=3)")
    assert line["timestamp"].endswith("Z")
    del line["timestamp"]
    what = {"event": "stream.live", "stream_id": "s1", "viewers": 3}
    assert line == {**what, "level": "info", "logger": "media.live", "part": "worker"}


def test_the_correlation_id_is_on_every_line_inside_and_on_none_outside() -> None:
    library = "logging.getLogger('x').info('b')"
    code = f"with correlated('req-1', user_id='u1'):\n    log.info('a')\n    {library}\nlog.info('c')"
    inside, other, outside = lines(code)
    assert (inside["correlation_id"], inside["user_id"], other["correlation_id"]) == ("req-1", "u1", "req-1")
    assert "correlation_id" not in outside


SECRETIVE = (
    "log.info('x', password='hunter2')",
    "log.info('x', refresh_token='hunter2')",
    "log.info('x', headers={'Authorization': 'hunter2'})",
    "log.info('x', a={'b': [{'Set-Cookie': 'hunter2'}]})",
    "log.info('x', a=({'client_secret': 'hunter2'},))",
    "log.info('x', a={'a': {'a': {'a': {'a': {'a': {'stream_key': 'hunter2'}}}}}})",
    "with correlated('c', access_token='hunter2'): log.info('x')",
    "logging.getLogger('x').info('x', extra={'password': 'hunter2'})",
    "def f(password): raise ValueError('bad')",
    "try: f('hunter' + str(2))\nexcept ValueError: log.exception('x')",
)


@pytest.mark.parametrize("style", ["json", "console"])
def test_secrets_are_never_printed(style: str) -> None:
    output = printed("\n".join(SECRETIVE), style)
    assert "ValueError: bad" in output
    assert "hunter2" not in output


def test_exceptions_come_with_their_traceback_on_the_same_line() -> None:
    code = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    log.exception('a')\n    log.error('b', exc_info=e)"
    for line in lines(code):
        assert "ZeroDivisionError: division by zero" in line["exception"]
        assert line["level"] == "error"


def test_the_standard_library_logs_the_same_way() -> None:
    [line] = lines("logging.getLogger('asyncio').error('took %s s', 3)")
    assert (line["event"], line["logger"], line["level"], line["part"]) == ("took 3 s", "asyncio", "error", "worker")


def test_what_cannot_be_json_is_still_a_line() -> None:
    code = (
        "import pathlib, uuid\n"
        "log.info('a', where=pathlib.Path('/x'), id=uuid.uuid4(), raw=b'\\xff', kind=ValueError)\n"
        "log.info('b', huge=1 << 80, odd={(1, 2): 3})\n"
        "log.info('line\\nbreak and \\u2028 and \\x1b[31m')"
    )
    assert [line["event"][:4] for line in lines(code)] == ["a", "b", "line"]


@pytest.mark.parametrize(("level", "expected"), [("DEBUG", 3), ("INFO", 2), ("ERROR", 1)])
def test_less_important_lines_are_left_out(level: str, expected: int) -> None:
    assert len(lines("log.debug('a'); log.info('b'); log.error('c')", level=level)) == expected


def test_a_person_reads_words_and_no_colours_in_a_pipe() -> None:
    output = printed("with correlated('req-1'): log.info('stream.live', stream_id='s1')", "console")
    assert "stream.live" in output
    assert "stream_id=s1" in output
    assert "correlation_id=req-1" in output
    assert "\x1b[" not in output


def test_correlations_nest() -> None:
    assert correlation_id() == ""
    with correlated("outer"):
        with correlated("inner"):
            assert correlation_id() == "inner"
        assert correlation_id() == "outer"
    assert correlation_id() == ""
