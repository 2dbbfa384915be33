"""The demo's cast, picture and small talk."""

import asyncio
import random
from itertools import islice
from pathlib import Path

from infra.local.demo_accounts import demo_accounts
from infra.local.demo_script import LINES, conversation, encoder_command
from infra.local.environment import find_ffmpeg


def test_the_cast_is_made_up_once_with_passwords_of_its_own(tmp_path: Path) -> None:
    cast = demo_accounts(tmp_path / "cast.json")
    assert demo_accounts(tmp_path / "cast.json") == cast
    assert [account.part for account in cast][:2] == ["creator", "viewer"]
    assert len({account.password for account in cast}) == len({account.email for account in cast}) == len(cast)
    assert all(len(account.password) >= 12 for account in cast)
    assert (tmp_path / "cast.json").stat().st_mode & 0o777 == 0o600
    assert demo_accounts(tmp_path / "other.json")[0].password != cast[0].password


def test_nobody_repeats_a_line_before_all_were_said() -> None:
    said = list(islice(conversation(random.Random(1)), 2 * len(LINES)))  # noqa: S311  # a test that repeats
    assert set(said[: len(LINES)]) == set(said[len(LINES) :]) == set(LINES)


def test_every_line_fits_the_rooms_limits() -> None:
    assert all(1 <= len(line) <= 500 for line in LINES)


async def test_the_encoder_makes_720p_with_a_keyframe_every_second(tmp_path: Path) -> None:
    command = encoder_command(find_ffmpeg(), str(tmp_path / "demo.flv"))
    command[-1:-1] = ["-frames:v", "31"]
    encoder = await asyncio.create_subprocess_exec(*command)
    assert await encoder.wait() == 0
    keyframes = ["-skip_frame", "nokey", "-i", str(tmp_path / "demo.flv"), "-vf", "showinfo", "-f", "null", "-"]
    look = await asyncio.create_subprocess_exec(find_ffmpeg(), *keyframes, stderr=asyncio.subprocess.PIPE)
    said = (await look.communicate())[1].decode()
    assert "1280x720" in said
    assert said.count("iskey:1") == 2  # frames 1 and 31
