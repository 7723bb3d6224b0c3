"""The console takes on so much at a time, and every request leaves a line that names nobody."""

import json
import logging
from types import SimpleNamespace
from typing import Any

import anyio
import httpx2
import pytest
from bureau import PEPPER, Bureau

from card_core.sign_in import Profile
from issuance.cli.desk_app import make_admission, make_console
from scan_api.overload import Admission, Places

HOLDER = "/v1/operator/holders/440604198001011016"


def asked(bureau: Bureau, admission: Admission) -> httpx2.Response:
    """What the console answers somebody without a session."""
    site: Any = SimpleNamespace(kernel=bureau.kernel, pepper=PEPPER, profile=Profile.SM)
    clock: Any = SimpleNamespace(now=bureau.clock)
    app = make_console(site, clock, admission)

    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as http:
            return await http.get(HOLDER)

    return anyio.run(ask)


def test_a_request_leaves_its_template_and_not_what_was_typed(
    bureau: Bureau, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sscard.scan_api"):
        assert asked(bureau, make_admission()).status_code == 401
    told = json.loads(caplog.messages[-1])
    assert (told["route"], told["status"]) == ("/v1/operator/holders/{holder_id}", 401)
    assert HOLDER.rpartition("/")[2] not in caplog.text


def test_where_all_places_are_taken_one_is_told_to_come_again(bureau: Bureau) -> None:
    full = make_admission()
    full.scans = full.others = Places(running_max=0, waiting_max=0)
    answer = asked(bureau, full)
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert answer.headers["retry-after"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_long_work_takes_no_places_from_others() -> None:
    places = make_admission().places_for(HOLDER)
    assert (places.running_max, places.waiting_max) == (32, 64)
    for _ in range(1000):
        places.measure(600)
    assert places.running_max == 32
