"""Signing keys: made once, found by everybody, changed without a gap."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from accounts.key_folder import add
from accounts.keys import OVERLAP, PAUSE_SECONDS, RELOAD_SECONDS, SETTLE, Keys
from infra.settings import BadSetting

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Time:
    """Both clocks of one process, moved together."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return NOON + self.passed

    def monotonic(self) -> float:
        return 1000 + self.passed.total_seconds()

    def pass_by(self, seconds: float) -> None:
        self.passed += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


Open = Callable[[], Keys]


@pytest.fixture
def process(tmp_path: Path, time: Time) -> Open:
    """Makes the keys of another process over the same folder."""
    return lambda: Keys(tmp_path / "keys", clock=time.now, monotonic=time.monotonic)


async def test_the_first_key_is_made_and_only_its_owner_can_read_it(process: Open, tmp_path: Path) -> None:
    keys = process()
    await keys.open()
    (file,) = (tmp_path / "keys").glob("*.pem")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    signing = await keys.signing()
    assert (signing.kid, signing.public.key_size) == (file.stem, 2048)
    assert "private" not in repr(signing)


async def test_a_second_start_keeps_the_key(process: Open) -> None:
    first, second = process(), process()
    await first.open()
    await second.open()
    assert (await first.signing()).kid == (await second.signing()).kid


def test_processes_that_start_at_once_make_one_key(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from accounts.key_folder import ensure_key; "
        "from infra.clock import system_clock; ensure_key(Path(sys.argv[1]), system_clock())"
    )
    root = Path(__file__).parents[2]
    racers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "keys")], cwd=root) for _ in range(4)]
    assert [racer.wait(60) for racer in racers] == [0] * 4
    assert len(list((tmp_path / "keys").glob("*.pem"))) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir() if path.suffix == ".new"] == []


async def test_a_new_key_verifies_before_it_signs(process: Open, time: Time) -> None:
    ours, theirs = process(), process()
    await ours.open()
    await theirs.open()
    old = (await ours.signing()).kid
    time.pass_by(RELOAD_SECONDS)
    new = ours.rotate()
    time.pass_by(RELOAD_SECONDS)
    assert (await ours.signing()).kid == (await theirs.signing()).kid == old
    assert await theirs.find(new)
    time.pass_by(SETTLE.total_seconds())
    assert (await ours.signing()).kid == (await theirs.signing()).kid == new
    assert await theirs.find(old)
    assert [key["kid"] for key in await theirs.public_set()] == [new, old]


async def test_a_retired_key_is_gone_everywhere_but_never_the_last(process: Open, time: Time) -> None:
    ours, theirs = process(), process()
    await ours.open()
    await theirs.open()
    old = (await ours.signing()).kid
    time.pass_by(60)
    new = ours.rotate()
    time.pass_by(OVERLAP.total_seconds())
    assert ours.retire() == []  # it signed until SETTLE had passed
    time.pass_by(SETTLE.total_seconds() + 1)
    assert ours.retire() == [old]
    time.pass_by(RELOAD_SECONDS)
    assert await theirs.find(old) is None
    assert await theirs.find(new)
    time.pass_by(1_000_000)
    assert ours.retire() == []
    assert ours.ids() == [new]


async def test_an_unknown_id_reads_the_folder_again_but_not_each_time(process: Open, time: Time) -> None:
    keys = process()
    await keys.open()
    time.pass_by(PAUSE_SECONDS)
    new = keys.rotate()
    assert await keys.find(new)
    newer = keys.rotate()
    assert await keys.find("invented") is None
    assert await keys.find(newer) is None  # a flood of invented ids must not make us read for each
    time.pass_by(PAUSE_SECONDS)
    assert await keys.find(newer)


async def test_an_id_is_never_a_path(process: Open, tmp_path: Path) -> None:
    keys = process()
    await keys.open()
    stranger = tmp_path / f"{add(tmp_path, NOON)}.pem"
    for kid in (f"../{stranger.stem}", str(stranger), str(stranger.with_suffix("")), "../../etc/passwd", "", "\0"):
        assert await keys.find(kid) is None


async def test_what_is_no_good_key_is_left_out(process: Open, tmp_path: Path, time: Time) -> None:
    keys = process()
    await keys.open()
    folder = tmp_path / "keys"
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
    elliptic = ec.generate_private_key(ec.SECP256R1())
    for name, key in (("weak", weak), ("elliptic", elliptic)):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    (folder / "garbage.pem").write_bytes(b"-----BEGIN nothing")
    (folder / "odd name.pem").write_bytes(next(iter(folder.glob("2*.pem"))).read_bytes())
    time.pass_by(RELOAD_SECONDS)
    assert len(await keys.public_set()) == 1


async def test_an_emptied_folder_keeps_the_known_keys(process: Open, tmp_path: Path, time: Time) -> None:
    keys = process()
    await keys.open()
    kid = (await keys.signing()).kid
    (tmp_path / "keys" / f"{kid}.pem").unlink()
    time.pass_by(RELOAD_SECONDS)
    assert (await keys.signing()).kid == kid


async def test_a_folder_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="FOOTLIGHT_KEYS"):
        await Keys(tmp_path / "file" / "keys").open()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.pem").write_text("no key")
    with pytest.raises(BadSetting, match="FOOTLIGHT_KEYS"):
        await Keys(tmp_path / "bad").open()


async def test_a_read_only_folder_is_enough(process: Open, tmp_path: Path) -> None:
    await process().open()
    folder = tmp_path / "keys"
    (folder / ".lock").unlink()
    os.chmod(folder, 0o500)
    await process().open()
    assert not (folder / ".lock").exists()
    os.chmod(folder, 0o700)


async def test_the_public_set_is_what_other_libraries_read(process: Open) -> None:
    keys = process()
    await keys.open()
    key = await keys.signing()
    token = jwt.encode({"sub": "ada"}, key.private, algorithm="RS256", headers={"kid": key.kid})
    (published,) = jwt.PyJWKSet.from_dict({"keys": await keys.public_set()}).keys
    assert jwt.decode(token, published, algorithms=["RS256"]) == {"sub": "ada"}
    assert all(set(one) == {"kty", "use", "alg", "kid", "n", "e"} for one in await keys.public_set())
