"""The embedded search server. It keeps everything in memory: the worker indexes again after a start."""

from pathlib import Path

import aiohttp

from infra.local.parts import CHECK_SECONDS, LOOPBACK, Check, Part, program_of


def search_part(folder: Path, port: int) -> tuple[Part, str]:
    """The part and its URL."""
    command = (
        str(program_of("osmem_server", "bin", "osmem-server")), "-addr", f"{LOOPBACK}:{port}", "-no-stdin-watch",
        "-no-ja",  # the Japanese dictionary alone is 170 MB
    )  # fmt: skip
    url = f"http://{LOOPBACK}:{port}"
    part = Part(name="search", command=command, folder=folder, address=f"{LOOPBACK}:{port}", ready=answers(url))
    return part, url


def answers(url: str, *statuses: int) -> Check:
    """Ready when a GET of `url` is answered with one of these statuses (200 when none is named)."""
    wanted = statuses or (200,)

    async def check() -> bool:
        timeout = aiohttp.ClientTimeout(total=CHECK_SECONDS)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
                return answer.status in wanted
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    return check
