"""The service keeps the contract that its OpenAPI document is, under Schemathesis's checks.

Schemathesis makes requests from the document, good and bad; each is sent as by somebody who may
send it (signed, or in a session), so that what lies behind the authentication is reached. All of
its checks are on: statuses, media types, headers and bodies as documented, bad requests refused,
no 5xx but the declared 503, no operation that serves without a proof.

A good request may still be refused for what no schema can say (a signature that does not hold, a
scan that never was), but never for its shape: `check_shape` sees to that.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from asks import ASKS, Ask
from contract_town import Caller, Town
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from request_keys import HEADER, new_key
from scan_service import BASE_URL
from schemathesis import GenerationMode

from scan_api import bodies

FEW, MANY = 3, 420
CASES_MIN, SUCCESSES_MIN = 10_000, 20
SEED = 20260302
BEYOND_SCHEMAS = ["400", "422"]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
# What tells apart things that a schema calls the same.
NAMES = ("business_type", "request_id", "institution_kind")
REMARKS = ("operator", "department")


class Proof(requests.auth.AuthBase):
    """Proves the caller for the very bytes that are sent."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __call__(self, request: Any) -> Any:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        request.headers.update(self._caller.prove(request.method, request.path_url, body))
        return request


@dataclass
class Tally:
    """Which statuses came back, by operation."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)

    def count(self, name: str, status: int) -> None:
        self.statuses.setdefault(name, Counter())[status] += 1

    def cases(self) -> int:
        return sum(one.total() for one in self.statuses.values())

    def successes(self, name: str) -> int:
        counted = self.statuses.get(name, Counter())
        return sum(count for status, count in counted.items() if 200 <= status < 300)


def is_positive(case: Any) -> bool:
    return bool(case.meta.generation.mode is GenerationMode.POSITIVE)


def check_shape(context: Any, response: Any, case: Any) -> None:
    """What the schema calls a good request is not refused for its shape."""
    if is_positive(case) and response.status_code in {400, 422}:
        document = response.json()
        assert document.get("code") != "malformed_json"
        faults = {fault["code"] for fault in document.get("errors", [])}
        assert not faults & {*bodies._TEXTS, "not_allowed"}, document


def fill(case: Any, ask: Ask, *, wholly: bool) -> None:
    """Put what exists into a good case: all of it, or only what it takes to be looked at."""
    if HEADER in (case.headers or {}):
        case.headers[HEADER] = new_key()
    if wholly:
        case.path_parameters.update(ask.path)
        if ask.body is not None:
            case.body = dict(ask.body)
    elif isinstance(case.body, dict) and ask.body is not None:
        case.body.update({name: ask.body[name] for name in NAMES if name in case.body})
        for name in REMARKS:
            # Schemathesis goes by Python's expressions, which do not know what is no character.
            if not (case.body.get(name) or "").isprintable():
                case.body[name] = "窗口 3"
        case.body = without_points(case.body)


def without_points(value: Any) -> Any:
    """JSON Schema counts 251.0 as an integer; this service takes 251 alone, as docs/api.md says."""
    match value:
        case dict():
            return {name: without_points(one) for name, one in value.items()}
        case list():
            return [without_points(one) for one in value]
        case float() if value.is_integer():
            return int(value)
    return value


def drawn(operation: Any, count: int) -> list[Any]:
    """Cases as Hypothesis draws them, good and bad; fewer where there are no more."""
    found: list[Any] = []
    both = st.sampled_from(MODES)

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(both.flatmap(lambda mode: operation.as_strategy(generation_mode=mode)))
    def draw(case: Any) -> None:
        found.append(case)

    draw()
    return found


def covering(document: Any, operation: Any) -> Iterator[Any]:
    """Every limit of every field, what is missing, and the methods that are not offered."""
    found: Iterator[Any] = document.iter_coverage_cases(
        operation, generation_modes=MODES, generation_config=document.config.generation
    )
    return found


def check_operation(town: Town, document: Any, operation: Any, count: int, tally: Tally) -> None:
    name = operation.definition.raw["operationId"]
    cases = drawn(operation, count)
    good = [case for case in cases if is_positive(case)]
    if count == MANY:
        cases += covering(document, operation)
        # Where there is little to draw, the same good case has to do for more.
        cases += itertools.islice(itertools.cycle(good), SUCCESSES_MIN)
    ask = ASKS[name](town)
    for number, case in enumerate(cases):
        town.tick()
        proof = {}
        if is_positive(case):
            ask = ASKS[name](town)
            fill(case, ask, wholly=number % 3 > 0 or number >= count)
        if not document.is_security_param_negated(case):
            proof["auth"] = Proof(ask.rightful)
        response = case.call_and_validate(
            base_url=BASE_URL,
            headers={"Origin": BASE_URL},
            additional_checks=[check_shape],
            **proof,
        )
        tally.count(name, response.status_code)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_every_operation_keeps_its_contract(
    town: Town, subtests: pytest.Subtests, count: int
) -> None:
    document = schemathesis.openapi.from_dict(town.service.app.openapi())
    document.app = town.service.app
    document.config.checks.positive_data_acceptance.expected_statuses += BEYOND_SCHEMAS
    tally = Tally()
    for found in document.get_all_operations():
        operation = found.ok()
        with subtests.test(operation.label):
            check_operation(town, document, operation, count, tally)
    assert set(tally.statuses) == set(ASKS)
    print(f"seed {SEED}: {tally.cases()} cases", dict(tally.statuses))
    if count == MANY:
        assert tally.cases() >= CASES_MIN
        assert {name for name in ASKS if tally.successes(name) < SUCCESSES_MIN} == set()
