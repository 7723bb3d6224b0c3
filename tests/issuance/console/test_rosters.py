"""Rosters over the operators' API: parts, the file to send back, and whose they are."""

import csv
import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from bureau import Bureau
from starlette.testclient import TestClient
from test_console import V1, Window, done, fields

from issuance.console.uploads import KEPT_FOR, PART_BYTES_MAX
from issuance.roster.columns import TITLES

WAITED_SECONDS = 60


@pytest.fixture
def window(bureau: Bureau) -> Window:
    return Window(bureau)


def line(serial: int, **changed: str) -> list[str]:
    one = fields(serial) | changed
    names = (
        "name",
        "certificate",
        "number",
        "sex",
        "ethnic_group",
        "birth_on",
        "phone",
        "address",
        "region",
    )
    return [*(one[name] for name in names), "新申领", one["bank"], one["branch"], "", ""]


def roster_of(*lines: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([list(TITLES), *lines])
    return text.getvalue().encode("utf-8-sig")


def send(client: TestClient, content: bytes, name: str = "三月.csv", part: int = 1000) -> str:
    begun = done(client.post(f"{V1}/rosters", json={"file_name": name, "size": len(content)}))
    place = f"{V1}/rosters/{begun['roster_id']}"
    for offset in range(0, len(content), part):
        piece = content[offset : offset + part]
        done(client.put(f"{place}/content?offset={offset}", content=piece))
    return place


def settled(client: TestClient, place: str) -> dict[str, Any]:
    return wait_for(lambda: done(client.get(place)), {"checked", "imported", "unusable"})


def wait_for(ask: Callable[[], dict[str, Any]], states: set[str]) -> dict[str, Any]:
    until = time.monotonic() + WAITED_SECONDS
    while (found := ask())["state"] not in states:
        assert time.monotonic() < until, found
    return found


def test_good_rows_become_a_batch_and_the_others_are_sent_back(window: Window) -> None:
    maker = window.sign_in("maker")
    content = roster_of(
        line(0), line(1, sex="x", phone="1"), line(2, address="=cmd|' /C calc'!A0"), line(0)
    )
    place = send(maker, content)
    found = settled(maker, place)
    assert (found["state"], found["accepted"], found["refused"]) == ("checked", 1, 3)
    rows = done(maker.get(f"{place}/rows"))
    assert [one["row"] for one in rows["rows"]] == [2, 3, 4]
    assert {one["field"] for one in rows["rows"][0]["problems"]} == {"性别", "手机号码"}
    sent_back = maker.get(f"{place}/corrections?format=csv")
    assert sent_back.content.startswith(b"\xef\xbb\xbf")
    back = list(csv.reader(io.StringIO(sent_back.content.decode("utf-8-sig"))))
    assert [one[-2] for one in back[1:]] == ["2", "3", "4"]
    assert not [cell for row in back for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "性别应填写" in back[1][-1]
    assert maker.post(f"{place}/import", json={"name": "三月"}).status_code == 202
    imported = settled(maker, place)
    assert (imported["state"], imported["imported"]) == ("imported", 1)
    (waiting,) = done(window.sign_in("checker").get(f"{V1}/approvals"))["approvals"]
    assert {one["fact"]: one["value"] for one in waiting["facts"]}["batch_id"] == (
        imported["batch_id"]
    )
    # Corrected, the very file that was sent back is a roster.
    corrected = [*back[1][:3], "男", *back[1][4:6], fields(1)["phone"], *back[1][7:]]
    corrected[3] = fields(1)["sex"]
    text = io.StringIO()
    csv.writer(text).writerows([back[0], corrected])
    again = settled(maker, send(maker, text.getvalue().encode("utf-8-sig")))
    assert (again["accepted"], again["refused"]) == (1, 0)


def test_a_part_comes_again_but_never_out_of_its_place(window: Window) -> None:
    maker = window.sign_in("maker")
    content = roster_of(line(0))
    begun = done(maker.post(f"{V1}/rosters", json={"file_name": "a.csv", "size": len(content)}))
    place = f"{V1}/rosters/{begun['roster_id']}/content"
    for offset, part in ((0, content[:50]), (0, content[:50])):
        assert done(maker.put(f"{place}?offset={offset}", content=part))["received"] == 50
    ahead = maker.put(f"{place}?offset=60", content=content[60:])
    assert (ahead.status_code, ahead.json()["code"]) == (409, "part_misplaced")
    beyond = maker.put(f"{place}?offset=50", content=content)
    assert beyond.json()["code"] == "part_misplaced"
    done(maker.put(f"{place}?offset=50", content=content[50:]))
    assert settled(maker, place.removesuffix("/content"))["accepted"] == 1
    assert begun["part_bytes"] == PART_BYTES_MAX


def test_a_roster_is_its_senders_alone_and_is_forgotten(window: Window) -> None:
    maker, checker = window.sign_in("maker"), window.sign_in("checker")
    place = send(maker, roster_of(line(0)))
    settled(maker, place)
    assert checker.get(place).json()["code"] == "not_allowed"
    window.bureau.clock.advance(KEPT_FOR.total_seconds() / 4)
    assert maker.get(place).status_code == 200
    assert maker.post(f"{place}/forget", json={}).status_code == 204
    assert maker.get(place).status_code == 404
    unusable = settled(maker, send(maker, b"nothing", "a.exe"))
    assert unusable["problem"]["code"] == "file_kind_unsupported"
    large = maker.post(f"{V1}/rosters", json={"file_name": "a.csv", "size": 201 * 1024 * 1024})
    assert (large.status_code, large.json()["code"]) == (422, "file_too_large")


def test_only_our_own_pages_change_something_with_a_cookie(window: Window) -> None:
    token = window.sign_in("maker").headers["Authorization"].removeprefix("Bearer ")
    browser = window.caller()
    browser.cookies.set("sscard_operator", token)
    body = {"file_name": "a.csv", "size": 1}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {}):
        refused = browser.post(f"{V1}/rosters", json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    own = {"Sec-Fetch-Site": "same-origin"}
    assert browser.post(f"{V1}/rosters", json=body, headers=own).status_code == 201
    assert browser.delete(f"{V1}/sign-ins", headers={"Sec-Fetch-Site": "none"}).status_code == 403
    assert browser.get(f"{V1}/session").status_code == 200
