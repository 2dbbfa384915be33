"""The children get settings that load, and what is set outside wins."""

import os
from pathlib import Path

import pytest

from infra.local.environment import Addresses, child_environment, find_ffmpeg
from infra.local.ports import PublicPorts
from infra.settings import ObjectSettings, load_settings

SERVERS = Addresses(
    postgres="postgresql://footlight:p@127.0.0.1:1/postgres",
    redis=["redis://:p@127.0.0.1:2", "redis://:p@127.0.0.1:3"],
    mongo="mongodb://127.0.0.1:4",
    search="http://127.0.0.1:5",
    objects=ObjectSettings(endpoint="http://127.0.0.1:6", access_key="a", secret_key="s"),
    origin_port=7,
)
PUBLIC = PublicPorts(web=8000, edge=8001, rtmp=1935)


def test_every_variable_is_known_and_points_to_the_embedded_servers(tmp_path: Path) -> None:
    settings = load_settings(child_environment(tmp_path, PUBLIC, SERVERS, {}))
    assert settings.postgres.url == SERVERS.postgres
    assert settings.redis.nodes == tuple(SERVERS.redis)
    assert settings.objects.endpoint == "http://127.0.0.1:6"
    assert settings.search.plain_mime
    assert settings.live.edge_public_url == "http://localhost:8001"
    assert "http://127.0.0.1:8000" in settings.web.origins
    assert settings.web.web_root.is_absolute()
    assert settings.auth.keys == tmp_path / "keys"


def test_the_secret_stays_the_same_from_start_to_start(tmp_path: Path) -> None:
    first, second = (child_environment(tmp_path, PUBLIC, SERVERS, {}) for _ in range(2))
    assert first["FOOTLIGHT_SECRET"] == second["FOOTLIGHT_SECRET"]
    assert len(first["FOOTLIGHT_SECRET"]) >= 32


def test_what_is_set_outside_wins(tmp_path: Path) -> None:
    outside = {
        "FOOTLIGHT_USER_LIMIT": "7",
        "FOOTLIGHT_MONGO_URL": "mongodb://elsewhere",
        "FOOTLIGHT_SECRET": "",
        "A": "b",
    }
    environment = child_environment(tmp_path, PUBLIC, SERVERS, outside)
    assert (environment["FOOTLIGHT_USER_LIMIT"], environment["FOOTLIGHT_MONGO_URL"]) == ("7", "mongodb://elsewhere")
    assert environment["FOOTLIGHT_SECRET"]
    assert "A" not in environment


@pytest.mark.parametrize(
    ("says", "chosen"), [("ffmpeg version n7.1", True), ("ffmpeg version 5.1.9-0", False), ("", False)]
)
def test_an_old_ffmpeg_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, *, chosen: bool
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert (find_ffmpeg() == str(program)) is chosen
