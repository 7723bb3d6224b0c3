"""The document of the operators' API: an example of everything, true to its schema and in both
languages; that the API answers so is looked at wherever the tests ask it (`Window`)."""

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from bureau import Bureau
from pydantic import BaseModel, TypeAdapter
from servers.databases import Databases, SQLiteDatabases
from starlette.responses import Response
from test_console import V1, Window, done, new

from card_core.store import cards
from issuance.console import problems
from issuance.console.reference import EXAMPLES

JSON = "application/json"


@pytest.fixture
def databases(sqlite_databases: SQLiteDatabases) -> Databases:
    """What the database is makes no difference to a document."""
    return sqlite_databases


@pytest.fixture
def window(bureau: Bureau) -> Window:
    return Window(bureau)


def exact(model: Any, example: Any) -> bool:
    """Whether the model takes it, and writes nothing else."""
    adapter = TypeAdapter(model)
    return bool(
        json.loads(adapter.dump_json(adapter.validate_json(json.dumps(example)))) == example
    )


def models_of(function: Callable[..., Any]) -> tuple[Any, Any]:
    """What the function of an operation takes as a body, and what it gives."""
    asked = inspect.signature(function)
    kinds = [one.annotation for one in asked.parameters.values()]
    bodies = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
    return (bodies or [None])[0], asked.return_annotation


def test_each_example_is_exactly_what_its_schema_says(window: Window) -> None:
    assert sorted(EXAMPLES) == sorted(window.operations)
    for name, route in window.operations.items():
        example = EXAMPLES[name]
        takes, gives = models_of(route.endpoint)
        if takes is not None:
            assert exact(takes, example.takes), name
        if gives is not Response:
            assert exact(gives, example.gives), name


def test_each_body_in_the_document_has_its_example(window: Window) -> None:
    document = window.app.openapi()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            name, answers = operation["operationId"], operation["responses"]
            bodies = [operation.get("requestBody", {}), *answers.values()]
            for media, content in (
                pair for body in bodies for pair in body.get("content", {}).items()
            ):
                values = [one["value"] for one in content["examples"].values()]
                assert values, (name, media)
                is_json = media in {JSON, problems.MEDIA_TYPE}
                assert all(isinstance(one, dict) == is_json for one in values), (name, media)
            has_body = any(JSON in one.get("content", {}) for one in answers.values())
            assert has_body == isinstance(EXAMPLES[name].gives, dict) or name in FILES, name
            text = operation["description"]
            assert re.search(r"[一-鿿]", text), (path, text)
            assert re.search(r"[A-Za-z]{3}", text), (path, text)
    assert "HTTPValidationError" not in json.dumps(document)


FILES = {"getCorrections", "getFiguresFile"}


def test_problems_are_shown_as_they_are_told(window: Window) -> None:
    document = window.app.openapi()
    maker, auditor = window.sign_in("maker"), window.sign_in("auditor")
    for client, path, method, body, headers, status in (
        (window.caller(), "/applications", "get", None, {}, 401),
        (auditor, "/applications", "get", None, {}, 403),
        (maker, "/searches", "post", {}, {}, 422),
        (maker, "/institutions", "post", {}, {"Idempotency-Key": "?"}, 400),
    ):
        told = client.request(method, V1 + path, json=body, headers=headers)
        assert told.status_code == status
        answer = document["paths"][V1 + path][method]["responses"][str(status)]
        shown = answer["content"][problems.MEDIA_TYPE]["examples"][told.json()["code"]]["value"]
        assert told.json() | {"fields": None} == shown | {"fields": None}


def test_acts_that_no_other_test_asks_for_are_answered_as_shown(window: Window) -> None:
    """`Window` compares; of the other acts it does so in their own tests."""
    bureau = window.bureau
    maker, checker = window.sign_in("maker"), window.sign_in("checker")

    def file(serial: int) -> str:
        answer = done(maker.post(f"{V1}/applications", json=new(serial, mode="at_once")))
        return f"{V1}/applications/{answer['filing_id']}"

    done(checker.post(f"{file(0)}/refusal", json={"reason": "data_wrong"}))
    done(maker.post(f"{file(1)}/withdrawal", json={}))
    with bureau.store.read() as tx:
        card = cards.get(tx, bureau.person().card_id)
    assert card is not None
    following = {"card_number": card.card_number, "kind": "exchange", "mode": "at_once"}
    following["evidence"] = "identity_document"
    done(maker.post(f"{V1}/applications/next", json=following))
    batch = f"{V1}/batches/{bureau.released_batch(1)['batch_id']}"
    done(maker.post(f"{batch}/pause", json={}))
    done(maker.post(f"{batch}/resumption", json={}))
    proposed = done(maker.post(f"{batch}/cancellation", json={}))
    done(checker.post(f"{V1}/approvals/{proposed['approval_id']}/rejection", json={}))
    for place in ("institutions/P44060400002", "terminals/00000000000000b2"):
        done(maker.post(f"{V1}/{place}/suspension", json={}))
        done(maker.post(f"{V1}/{place}/reinstatement", json={}))
