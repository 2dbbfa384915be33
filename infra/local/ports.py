"""Which ports the platform uses: three that people see, and its own, which stay the same from start to start.

Public: the web address (8000), the edge (the next one) and RTMP (1935, or two after the web when that is taken).
Internal: chosen at the first start and kept in a file; one that is busy later is chosen again. They lie below the
range from which the kernel takes the ports of outgoing connections, so that none of those is in the way of a restart.
"""

import contextlib
import json
import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.errors import Conflict
from infra.local.parts import LOOPBACK, write_private

BACKLOG = 4096
# Inherited by accepted sockets. The default lets every stalled viewer pin 3.8 MB of kernel memory.
SEND_BUFFER_BYTES = 64 * 1024
USUAL_RTMP = 1935
OWN_RANGE = range(20_000, 32_000)  # Linux takes outgoing ports from 32768 on
LISTENING = "0A"  # in /proc/net/tcp


class PortBusy(Conflict):
    code = "local.port_busy"
    message = "A port that Footlight needs is taken."


@dataclass(frozen=True, slots=True)
class PublicPorts:
    """What people see. `notice` says why RTMP is not on its usual port."""

    web: int
    edge: int
    rtmp: int
    notice: str = ""


def public_ports(web: int, rtmp: int | None) -> PublicPorts:
    """Check them all; raises `PortBusy` with the port, who holds it and which variable moves it."""
    edge = web + 1
    for port, use in ((web, "the web address"), (edge, "the edge")):
        if is_busy(port):
            raise PortBusy(_sentence(port, use, "PORT=9000 make up"), port=port)
    if rtmp is None and not is_busy(USUAL_RTMP):
        return PublicPorts(web, edge, USUAL_RTMP)
    wanted = web + 2 if rtmp is None else rtmp
    if is_busy(wanted):
        raise PortBusy(_sentence(wanted, "RTMP", "RTMP_PORT=1936 make up"), port=wanted)
    notice = f"Port {USUAL_RTMP} is taken{_by(USUAL_RTMP)}, so RTMP is on {wanted}." if rtmp is None else ""
    return PublicPorts(web, edge, wanted, notice)


def internal_ports(file: Path, names: Iterable[str], taken: Iterable[int] = ()) -> dict[str, int]:
    """A port for each name: the one of the last start, or another when that is busy. Kept in `file`."""
    kept: dict[str, int] = {}
    with contextlib.suppress(FileNotFoundError, ValueError):
        kept = json.loads(file.read_text())
    avoid, ports = set(taken), {}
    for name in names:
        port = kept.get(name)
        while port is None or port in avoid or is_busy(port):
            port = random.choice(OWN_RANGE)  # noqa: S311  # a choice, not a secret
        avoid.add(port)
        ports[name] = port
    write_private(file, json.dumps(ports, indent=1))
    return ports


def web_listeners(port: int) -> list[socket.socket]:
    """Listening sockets on 127.0.0.1 and, where there is one, [::1]: both are `localhost`.

    They are ours, and every node accepts from them: when one dies, the others go on.
    """
    listeners = [_listener(socket.AF_INET, LOOPBACK, port)]
    with contextlib.suppress(OSError):  # no IPv6 here
        listeners.append(_listener(socket.AF_INET6, "::1", port))
    return listeners


def _listener(family: int, host: str, port: int) -> socket.socket:
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def is_busy(port: int) -> bool:
    """Whether somebody listens on it, on loopback or on all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that lingers is not a listener
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def holder(port: int) -> str:
    """`python (process 123)`, or nothing when it belongs to another user."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(str(file.readlink()) in inodes for file in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _listening_inodes(port: int) -> Iterable[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with contextlib.suppress(OSError):
            for line in table.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    yield fields[9]


def _by(port: int) -> str:
    return f" by {who}" if (who := holder(port)) else " by another program"


def _sentence(port: int, use: str, way_out: str) -> str:
    return f"Port {port} ({use}) is taken{_by(port)}. Stop it, or use another port: {way_out}"
