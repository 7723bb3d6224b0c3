"""How the reference describes what a service channel sends and gets."""

from typing import Any

from pydantic import BaseModel

from scan_api import problems
from scan_api.openapi import (
    BODY_FAULTS,
    SIGNED_SECURITY,
    TERMINAL_FAULTS,
    example,
    json_answer,
    problem_answers,
    raw_body,
)
from scan_api.problems import Problem

_ASKED = (
    *TERMINAL_FAULTS,
    problems.SIGNATURE_NEEDED,
    *BODY_FAULTS,
    problems.NOT_READY,
)


def takes(model: type[BaseModel], value: dict[str, Any]) -> dict[str, Any]:
    return {**SIGNED_SECURITY, **raw_body(model, {"asked": example("At a channel", value)})}


def gives(
    description: str, value: dict[str, Any], *found: Problem, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    answer = json_answer(description, {"answer": example(description, value)}, status=status)
    return {**answer, **problem_answers(*_ASKED, *found)}
