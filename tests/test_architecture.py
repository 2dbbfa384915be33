"""Rules of the house that no linter knows."""

import ast
import http
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("accounts", "gateway", "realtime", "http/api", "media", "payments", "infra", "loadtest")
FILE_LINES = 500
FUNCTION_LINES = 50
DOMAINS = ("accounts", "media", "payments")
OWNERS = {*DOMAINS, "infra", "realtime"}  # channels are owned by realtime/moderation


def sources() -> list[Path]:
    return sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_http_is_the_standard_library() -> None:
    assert Path(http.__file__).is_relative_to(sysconfig.get_path("stdlib"))
    assert not (ROOT / "http" / "__init__.py").exists()


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= FILE_LINES
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno}
    assert {name: lines for name, lines in long.items() if lines > FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_modules_say_what_they_are_for(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree)


def test_only_domains_store_events() -> None:
    """Events are published by who owns the state; the edges only subscribe."""
    offenders = [
        relative(path)
        for path in sources()
        if path.parts[len(ROOT.parts)] not in OWNERS and "outbox.add(" in path.read_text()
    ]
    assert offenders == []


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "helpers", "helper", "manager", "base", "common", "misc"}
    assert [relative(path) for path in sources() if path.stem in vague] == []


def test_locust_modules_hide_no_standard_module() -> None:
    """Locust puts loadtest/ first on the path."""
    names = {path.stem for path in (ROOT / "loadtest").glob("*.py")} - {"__init__"}
    assert names & set(sys.stdlib_module_names) == set()


def test_nothing_names_an_index_or_this_machine() -> None:
    """Whoever clones this installs from an index of their own."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sites = ("pypi", "pythonhosted", "npmjs")
    hosts = "|".join([rf"{site}\.org" for site in sites] + ['"resolved": "' + "http"])
    found = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png", ".woff2", ".ico"}:
            found += [name] if re.search(hosts, path.read_text(errors="replace")) else []
    assert found == []
