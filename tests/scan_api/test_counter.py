"""The counter's own process: whom it answers, what it decodes, what it says without a service."""

import json
import re
from typing import Any, cast

import pytest
import qrcode
from PIL import Image
from starlette.testclient import TestClient

from scan_api.terminal import RequestRefusedError, ServiceAwayError, TerminalClient
from scan_api.terminal.counter import create_counter_app
from scan_api.terminal.frames import FRAME_BYTES_MAX, SIDE_PIXELS_MAX, FrameError, read_frame

PORT = 8710
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"
CODE = "7406" + "1234567890" * 24 + "123456789"
SCAN = {"code": CODE, "business_type": "02121", "request_id": "r1"}
TERMINAL = {"institution_name": "Pharmacy", "business_types": []}


class Client:
    """Stands in for the connection to the service."""

    def __init__(self) -> None:
        self.scans: list[dict[str, Any]] = []
        self.error: Exception | None = None

    def describe(self) -> dict[str, Any]:
        if self.error:
            raise self.error
        return TERMINAL

    def scan(self, **fields: Any) -> dict[str, Any]:
        self.scans.append(fields)
        if self.error:
            raise self.error
        return {"outcome": "accepted"}


class Counter:
    """The counter's application, and a browser that has opened its page."""

    def __init__(self) -> None:
        self.client = Client()
        app = create_counter_app(cast("TerminalClient", self.client), port=PORT)
        self.http = TestClient(app, base_url=ORIGIN, client=("127.0.0.1", 50_000))
        self.page = self.http.get("/")
        found = re.search(r'name="counter-token" content="([^"]+)"', self.page.text)
        assert found
        self.headers = {"Origin": ORIGIN, "X-Counter-Token": found[1]}

    def post(self, path: str, **options: Any) -> Any:
        return self.http.post(path, headers=self.headers, **options)


@pytest.fixture
def counter() -> Counter:
    return Counter()


def picture_of(text: str, *, side: int = 480) -> bytes:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=4)
    code.add_data(text)
    picture = code.make_image().get_image().convert("L")
    canvas = Image.new("L", (side, side), 200)
    canvas.paste(picture.rotate(90), (20, 30))
    return canvas.tobytes()


# ---- what it does


def test_a_scan_goes_to_the_service_under_the_pages_own_request_id(counter: Counter) -> None:
    answer = counter.post("/scans", json=SCAN)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "accepted"})
    nothing_more = {"amount_fen": None, "operator": None, "department": None}
    assert counter.client.scans == [{**SCAN, **nothing_more}]


def test_the_terminal_is_described_to_the_page(counter: Counter) -> None:
    assert counter.http.get("/terminal", headers=counter.headers).json() == TERMINAL


def test_a_camera_picture_gives_its_code(counter: Counter) -> None:
    answer = counter.post("/frames?width=480&height=480", content=picture_of(CODE))
    assert answer.json() == {"text": CODE}


def test_a_picture_without_a_code_gives_none(counter: Counter) -> None:
    answer = counter.post("/frames?width=480&height=480", content=bytes(480 * 480))
    assert answer.json() == {"text": None}


def test_of_several_codes_in_a_picture_the_one_of_digits_is_taken() -> None:
    left, right = picture_of("https://example.org/poster"), picture_of(CODE)
    rows = (left[at : at + 480] + right[at : at + 480] for at in range(0, 480 * 480, 480))
    assert read_frame(b"".join(rows), width=960, height=480) == CODE


# ---- what it refuses


def test_the_page_may_use_the_camera_and_load_nothing_from_elsewhere(counter: Counter) -> None:
    policy = counter.page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert counter.page.headers["Permissions-Policy"].startswith("camera=(self)")
    assert counter.page.headers["Cache-Control"] == "no-store"


def test_the_page_is_not_packed_for_its_token_stands_in_it(counter: Counter) -> None:
    assert counter.page.request.headers["Accept-Encoding"].startswith("gzip")
    assert "Content-Encoding" not in counter.page.headers
    (script,) = re.findall(r'src="(/static/v-[^"]+/counter.js)"', counter.page.text)
    assert "immutable" in counter.http.get(script).headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/static/counter.js", "/terminal"])
@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"0.0.0.0:{PORT}"]
)
def test_a_strange_host_name_is_refused(counter: Counter, path: str, host: str) -> None:
    answer = counter.http.get(path, headers={**counter.headers, "Host": host})
    assert answer.status_code == 403
    assert "counter-token" not in answer.text


def test_localhost_is_this_machine_too(counter: Counter) -> None:
    host = f"localhost:{PORT}"
    headers = {**counter.headers, "Host": host, "Origin": f"http://{host}"}
    assert counter.http.get("/", headers=headers).status_code == 200
    assert counter.http.post("/scans", json=SCAN, headers=headers).status_code == 200


def test_another_machine_is_refused(counter: Counter) -> None:
    strange = TestClient(counter.http.app, base_url=ORIGIN, client=("192.0.2.7", 50_000))
    assert strange.get("/").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": f"http://localhost:{PORT}"},
        {"Origin": "null"},
        {"Origin": None},
        {"X-Counter-Token": "guessed"},
        {"X-Counter-Token": ""},
        {"X-Counter-Token": None},
    ],
)
@pytest.mark.parametrize("path", ["/scans", "/frames?width=16&height=16"])
def test_a_page_of_another_site_can_not_scan(
    counter: Counter, path: str, changed: dict[str, str | None]
) -> None:
    headers = {k: v for k, v in {**counter.headers, **changed}.items() if v is not None}
    assert counter.http.post(path, json=SCAN, headers=headers).status_code == 403
    assert counter.client.scans == []


def test_the_terminal_is_described_to_the_counters_page_alone(counter: Counter) -> None:
    assert counter.http.get("/terminal").status_code == 403


def test_a_token_ends_with_its_process(counter: Counter) -> None:
    assert Counter().headers["X-Counter-Token"] != counter.headers["X-Counter-Token"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        json.dumps({**SCAN, "code": "7" * 513}),
        json.dumps({**SCAN, "request_id": ""}),
        json.dumps({**SCAN, "more": 1}),
    ],
)
def test_a_scan_that_the_page_never_sends_is_refused(counter: Counter, body: str) -> None:
    answer = counter.post("/scans", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert counter.client.scans == []


@pytest.mark.parametrize(
    "query",
    ["", "width=a&height=16", "width=16", "width=15&height=16", "width=16&height=17", "width=-16"],
)
def test_a_frame_of_another_size_is_refused(counter: Counter, query: str) -> None:
    assert counter.post(f"/frames?{query}", content=bytes(256)).status_code == 400


def test_a_frame_over_the_limit_is_refused_unread(counter: Counter) -> None:
    answer = counter.post("/frames?width=16&height=16", content=bytes(FRAME_BYTES_MAX + 1))
    assert answer.status_code == 413


def test_no_side_of_a_frame_is_over_the_limit() -> None:
    side = SIDE_PIXELS_MAX + 1
    with pytest.raises(FrameError):
        read_frame(bytes(side * 16), width=side, height=16)


# ---- without a service


def test_without_a_service_there_is_no_verdict(counter: Counter) -> None:
    counter.client.error = ServiceAwayError()
    answer = counter.post("/scans", json=SCAN)
    assert (answer.status_code, answer.json()["code"]) == (503, "service_away")
    assert "outcome" not in answer.json()


def test_the_services_own_words_reach_the_page(counter: Counter) -> None:
    document = {"code": "clock_off", "title": "a", "title_zh": "b", "detail": "c", "detail_zh": "d"}
    counter.client.error = RequestRefusedError(401, document)
    answer = counter.http.get("/terminal", headers=counter.headers)
    assert (answer.status_code, answer.json()) == (401, document)


def test_an_unforeseen_failure_tells_nothing(counter: Counter) -> None:
    counter.client.error = RuntimeError(f"while looking at {CODE}")
    answer = counter.post("/scans", json=SCAN)
    assert answer.status_code == 500
    assert CODE not in answer.text
