"""The written contract is the one the server keeps: files, schemas, examples and errors come from the same tables."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from infra.errors import FootlightError
from realtime import errors
from realtime.contract import examples
from realtime.contract.asyncapi import document, key
from realtime.contract.files import drifted, write
from realtime.contract.refusals import all_errors
from realtime.contract.tables import with_tables
from realtime.contract.typescript import types
from realtime.disconnects import DISCONNECTS
from realtime.events import CLIENT_EVENTS, SERVER_EVENTS, Auth

ROOT = Path(__file__).parents[2]
OFFICIAL = ROOT / "http/web/node_modules/@asyncapi/specs/schemas/3.0.0.json"
DECODED: list[tuple[str, Any]] = [
    ("connect", Auth),
    *((key(event.name), event.body) for event in CLIENT_EVENTS),
    *((key(event.name, ".answer"), event.answer) for event in CLIENT_EVENTS),
    *((key(event.name), event.body) for event in SERVER_EVENTS),
]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document()


def test_every_file_made_from_the_tables_is_up_to_date() -> None:
    assert drifted(ROOT) == [], "run `footlight events --write`"


def test_a_file_that_drifted_is_noticed_and_written_again(tmp_path: Path) -> None:
    for folder in ("docs", "http/web/src/realtime"):
        (tmp_path / folder).mkdir(parents=True)
    guide = tmp_path / "docs/events.md"
    guide.write_text("Words.\n<!-- table: client -->\nold\n<!-- end -->\nMore words.\n")
    assert len(write(tmp_path)) == 3
    assert drifted(tmp_path) == []
    assert guide.read_text().startswith("Words.")
    assert "`room:join`" in guide.read_text()
    (tmp_path / "http/web/src/realtime/events.ts").write_text("by hand")
    assert [path.name for path in drifted(tmp_path)] == ["events.ts"]


def test_a_table_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError):
        with_tables("<!-- table: nonsense -->\n<!-- end -->\n")


def test_the_document_holds_against_the_official_schema(made: dict[str, Any]) -> None:
    official = jsonschema_rs.validator_for(json.loads(OFFICIAL.read_text()))
    assert [f"{one.instance_path}: {one.message}" for one in official.iter_errors(made)] == []
    broken = made | {"operations": {"connect": {"action": "shout"}}}
    assert not official.is_valid(broken)


def test_every_reference_leads_somewhere(made: dict[str, Any]) -> None:
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(made)):
        place: Any = made
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_payload_schema_takes_its_examples_and_nothing_empty(made: dict[str, Any]) -> None:
    for name, message in made["components"]["messages"].items():
        schema = {"$schema": "http://json-schema.org/draft-07/schema#", "components": made["components"]}
        validator = jsonschema_rs.validator_for(schema | {"allOf": [message["payload"]]})
        assert name == "unknown" or message["examples"], name
        for example in message.get("examples", []):
            assert [one.message for one in validator.iter_errors(example["payload"])] == [], name
        if name not in {"unknown", "connect"}:
            says_nothing = any(example["payload"] in ({}, [{}]) for example in message["examples"])
            assert says_nothing or not validator.is_valid({}), name


@pytest.mark.parametrize(("name", "kind"), DECODED)
def test_every_example_is_decoded_by_its_struct(made: dict[str, Any], name: str, kind: Any) -> None:
    for example in made["components"]["messages"][name]["examples"]:
        decoded = msgspec.json.decode(json.dumps(example["payload"]), type=kind)
        again = msgspec.to_builtins(decoded)
        assert (
            again == example["payload"] | {field: None for field in again if field not in example["payload"]}
            if isinstance(again, dict)
            else again == example["payload"]
        )


def test_every_event_is_an_operation_with_its_words(made: dict[str, Any]) -> None:
    for event in CLIENT_EVENTS:
        operation = made["operations"][key(event.name)]
        assert operation["action"] == "receive"
        assert operation["summary"] == event.summary != ""
        assert len(operation["reply"]["messages"]) == 2
    for heard in SERVER_EVENTS:
        assert made["operations"][key(heard.name)]["action"] == "send"
    for name, schema in made["components"]["schemas"].items():
        assert schema.get("description"), name


def test_examples_name_events_that_exist() -> None:
    client, server = {event.name for event in CLIENT_EVENTS}, {event.name for event in SERVER_EVENTS}
    assert set(examples.SENT) == set(examples.ANSWERED) == client
    assert set(examples.HEARD) == server


def test_every_error_of_the_layer_is_in_the_contract() -> None:
    own = {kind.code for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, FootlightError)}
    imported = {"request.conflict", "request.not_found", "auth.forbidden"}  # kinds, never raised as such
    assert own - imported <= set(all_errors())


def test_the_types_name_every_event_code_and_reason() -> None:
    text = types()
    names = [event.name for event in CLIENT_EVENTS] + [event.name for event in SERVER_EVENTS]
    for name in [*names, *all_errors(), *(one.code for one in DISCONNECTS)]:
        assert f'"{name}"' in text, name
    assert "unknown[]" not in text


def test_the_document_is_the_same_every_time() -> None:
    assert json.dumps(document()) == json.dumps(document())
