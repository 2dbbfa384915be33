"""What runs in production stands without the embedded platform."""

import subprocess
import sys

LOADED = "import sys, media.delivery.edge, media.live.process; print([m for m in sys.modules if 'infra.local' in m])"


def test_the_live_process_and_the_edge_need_nothing_of_the_embedded_platform() -> None:
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
