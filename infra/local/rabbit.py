"""An embedded RabbitMQ, for tests of the production bus on a machine without one.

The broker comes from `$RABBITMQ_ROOT`, from `build/rabbitmq/` (see `.ci/install-rabbitmq`) or from the system. The
Erlang machine is the part itself and not a child of a start script, so that signals and the end of our own process
reach it; its name server (epmd) listens on loopback, on a port of its own, and ends with it.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from infra.local.parts import LOOPBACK, Part, free_port, listens

SERVER = Path("usr/lib/rabbitmq/bin/rabbitmq-server")
PROJECT = Path(__file__).resolve().parents[2]

# epmd first: RabbitMQ would start it as a daemon that outlives everything. `exec` keeps the process id for the broker.
START = 'setpriv --pdeathsig KILL epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" & exec "$0"'


def find_rabbit(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that holds `usr/lib/rabbitmq`, or None when there is no RabbitMQ here."""
    named = environment.get("RABBITMQ_ROOT")
    candidates = [Path(named)] if named else [PROJECT / "build" / "rabbitmq", Path("/")]
    return next((root for root in candidates if (root / SERVER).exists()), None)


def rabbit_part(folder: Path, port: int, root: Path) -> tuple[Part, str]:
    """The part, and the URL that opens it. Data, configuration and password stay in `folder`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "home").mkdir(exist_ok=True)
    password = folder / "password"
    if not password.exists():
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
    _write_configuration(folder, port, password.read_text())
    part = Part(
        name="rabbitmq",
        command=("sh", "-c", START, str(root / SERVER)),
        folder=folder,
        address=f"{LOOPBACK}:{port}",
        ready=listens(port),
        environment=_environment(folder, root, distribution_port=free_port(), name_server_port=free_port()),
        stop_seconds=10.0,
    )
    return part, f"amqp://footlight:{password.read_text()}@{LOOPBACK}:{port}/"


def _write_configuration(folder: Path, port: int, password: str) -> None:
    file = folder / "rabbitmq.conf"
    file.touch(mode=0o600)
    file.write_text(
        f"listeners.tcp.default = {LOOPBACK}:{port}\n"
        f"default_user = footlight\ndefault_pass = {password}\n"
        "vm_memory_high_watermark.absolute = 512MB\ndisk_free_limit.absolute = 50MB\n"
        "log.console = true\nlog.console.level = warning\n"
    )
    (folder / "enabled_plugins").write_text("[].\n")
    # After a restart a delayed message may find its target queue still starting; the broker then tries again after
    # three minutes. This is what `rabbitmq.conf` has no name for.
    (folder / "advanced.config").write_text("[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 2000}]}].\n")


def _environment(folder: Path, root: Path, *, distribution_port: int, name_server_port: int) -> dict[str, str]:
    erlang = root / "usr/lib/erlang"
    names = {"ENABLED_PLUGINS_FILE": "enabled_plugins", "ADVANCED_CONFIG_FILE": "advanced.config"}
    names |= {"FEATURE_FLAGS_FILE": "feature_flags", "PID_FILE": "pid", "CONFIG_FILE": "rabbitmq.conf"}
    names |= {"MNESIA_BASE": "data", "LOG_BASE": "logs", "GENERATED_CONFIG_DIR": "config", "SCHEMA_DIR": "schema"}
    return {
        **{f"RABBITMQ_{name}": str(folder / file) for name, file in names.items()},
        "ERL_ROOTDIR": str(erlang),
        "PATH": os.pathsep.join((str(erlang / "bin"), os.environ["PATH"])),
        "HOME": str(folder / "home"),  # the Erlang cookie
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_NODENAME": "footlight@localhost",
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "ERL_EPMD_PORT": str(name_server_port),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        # The machine replaces the start script; without a terminal its shell would end it, hence -noinput.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_START_ARGS": "-noinput",
        # Two schedulers that sleep when idle: the default spins on every core.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
        ),
    }
