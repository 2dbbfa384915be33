"""The OpenAPI document is valid, complete and true."""

from typing import Any

import httpx
import pytest
import schemathesis

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{m} {path}", item[m]) for path, item in document["paths"].items() for m in METHODS if m in item]


async def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()


async def test_every_endpoint_is_described_in_full(document: dict[str, Any]) -> None:
    listed = operations(document)
    assert len({operation["operationId"] for _, operation in listed}) == len(listed) > 0
    for name, operation in listed:
        assert operation["summary"], name
        assert operation["tags"], name
        statuses = set(operation["responses"])
        assert {"429", "503"} <= statuses, name
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= statuses, name
        if operation.get("security") and {} not in operation["security"]:
            assert {"401", "403"} <= statuses, name


async def test_every_error_has_the_one_schema_and_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                body = response["content"]["application/json"]
                assert body["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}, (name, status)
                for example in body["examples"].values():
                    assert set(example["value"]["error"]) == {"code", "message", "details"}, (name, status)


async def test_bodies_say_that_they_are_closed(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("SignUp", "Login", "Refresh", "Profile", "PasswordChange"):
        assert schemas[name]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Session"]


async def test_nothing_is_served_that_loads_from_elsewhere(client: httpx.AsyncClient) -> None:
    for path in ("/schema", "/schema/swagger", "/docs", "/openapi.json/swagger"):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert "http" not in answer.text
