"""The official JavaScript client, as browsers run it."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.realtime.nodes import TestNode, token_of

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "http" / "web" / "node_modules" / "socket.io-client"


@pytest.mark.skipif(not LIBRARY.exists(), reason="the web client is not installed (make up installs it)")
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node on this machine")
async def test_the_official_javascript_client_gets_along(shared_node: TestNode, stream_id: str) -> None:
    script = Path(__file__).with_name("official_client.mjs")
    arguments = (str(script), str(LIBRARY), shared_node.http, token_of("ada"), stream_id)
    process = await asyncio.create_subprocess_exec(
        "node", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()
    seen = json.loads(output)
    assert seen["joined"]["ok"]
    assert seen["refused"]["error"]["code"] == "chat.text_invalid"
    assert seen["sent"] == {"ok": True, "offset": 1, "held": False}
    assert [entry["text"] for entry in seen["chat"]] == ["héllo ✓"]
    assert seen["errors"][0]["data"]["code"] == "auth.session_over"
    assert seen["closing"]["code"] == "socket.misbehaved"
    assert seen["reason"] == "io server disconnect"
