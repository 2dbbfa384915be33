"""Ports are named when they are busy, and stay the same when they are not."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from infra.local import ports
from infra.local.parts import LOOPBACK, free_port
from infra.local.ports import OWN_RANGE, PortBusy, internal_ports, is_busy, public_ports, web_listeners


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this very process listens; the one below it is free."""
    with socket.create_server((LOOPBACK, free_run(2) + 1)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("offset", [0, 1])
def test_a_busy_web_or_edge_port_names_the_port_its_holder_and_the_way_out(taken: int, offset: int) -> None:
    with pytest.raises(PortBusy) as caught:
        public_ports(taken - offset, None)
    assert f"Port {taken}" in caught.value.message
    assert f"(process {os.getpid()})" in caught.value.message
    assert "PORT=" in caught.value.message


def test_rtmp_moves_aside_with_a_notice_but_a_wish_for_a_busy_port_is_refused(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "USUAL_RTMP", taken)
    web = free_run(3)
    moved = public_ports(web, None)
    assert (moved.web, moved.edge, moved.rtmp) == (web, web + 1, web + 2)
    assert str(taken) in moved.notice
    with pytest.raises(PortBusy, match="RTMP_PORT="):
        public_ports(web, taken)
    assert public_ports(web, web + 2).notice == ""


def test_internal_ports_stay_the_same_until_one_is_busy(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = internal_ports(file, ["a", "b"])
    assert internal_ports(file, ["a", "b"]) == first
    assert all(port in OWN_RANGE for port in first.values())
    with socket.create_server((LOOPBACK, first["a"])):
        second = internal_ports(file, ["a", "b"])
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]
    assert json.loads(file.read_text()) == second
    assert internal_ports(file, ["a", "b"], taken=[second["b"]])["b"] != second["b"]


def test_a_damaged_port_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text("{")
    assert set(internal_ports(file, ["a"])) == {"a"}


async def test_localhost_answers_whatever_it_means_and_two_processes_can_share_the_port() -> None:
    port = free_port()
    listeners = web_listeners(port)
    try:
        for listener in listeners:
            assert is_busy(port)
            with socket.create_connection(listener.getsockname()[:2], 1):
                pass
        assert {listener.family for listener in listeners} >= {socket.AF_INET}
        for _ in range(2):  # as two nodes do: a server of their own on a duplicate of the listening socket
            server = await asyncio.start_server(answer, sock=listeners[0].dup())
            assert (await get(port)) == b"here"
            server.close()
            await server.wait_closed()
    finally:
        for listener in listeners:
            listener.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere")
        await writer.drain()
    except asyncio.IncompleteReadError:  # the connections above, which say nothing
        pass
    finally:
        writer.close()


async def get(port: int) -> bytes:
    async with aiohttp.ClientSession() as browser, browser.get(f"http://{LOOPBACK}:{port}/") as response:
        return await response.read()


def free_run(length: int) -> int:
    """The first of some free ports in a row."""
    while True:
        first = free_port()
        if first + length < 65536 and not any(is_busy(first + step) for step in range(length)):
            return first
