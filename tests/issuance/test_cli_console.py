"""`sscard console`: a real process; an operator signs in with password and key, and works."""

import http.server
import json
import re
import signal
import ssl
import threading
from pathlib import Path

import httpx2
import pytest
from certificates import Authority
from filing import newcomer
from office import PIN, Office, password_of, refused
from test_cli_serve import ANSWER_SECONDS, started, stop

from card_core.identity import Sex
from crypto.keys import KeyFiles
from issuance.cli.second_factor import KEY_NAME

V1 = "/v1/operator"


def sign_in(office: Office, http: httpx2.Client, name: str) -> dict[str, str]:
    """The headers of an operator's session."""
    asked = http.post(f"{V1}/challenges", json={"name": name}).json()
    key = KeyFiles.open(office.folder / f"{name}.key", PIN.encode()).signer(KEY_NAME)
    body = {
        "attempt": asked["attempt"],
        "password": password_of(name),
        "signature": key.sign(bytes.fromhex(asked["challenge"])).hex(),
    }
    opened = http.post(f"{V1}/sign-ins", json=body)
    assert opened.status_code == 201, opened.text
    return {"Authorization": f"Bearer {opened.json()['token']}", "Idempotency-Key": '"first"'}


def desk_options(office: Office, url: str) -> tuple[str, ...]:
    password = office.file("wang.password", password_of("wang"))
    return ("--console", url, "--password-file", str(password), *office.key_options("wang"))


def ticket_signs_a_browser_in(office: Office, url: str) -> str:
    """By wang's own key, on a machine that has nothing of the installation; the ticket."""
    away = Office(office.folder, {"SSCARD_HOME": str(office.folder / "nothing here")})
    said = away.done("operator", "desk", "wang", *desk_options(office, url))
    found = re.search(r"Ticket: (\S+)", said)
    assert found is not None, said
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    with httpx2.Client(base_url=url, headers=same_origin, trust_env=False) as page:
        body = {"ticket": found[1]}
        assert page.post(f"{V1}/sign-ins/by-ticket", json=body).status_code == 201
        assert page.get(f"{V1}/session").json()["name"] == "wang"
    wrong = away.run("operator", "desk", "li", *desk_options(office, url))
    refused(wrong, "登录名、密码或第二因素不正确", "The name, the password")
    return found[1]


def test_the_operators_api_serves_and_stops_cleanly(office: Office) -> None:
    one = newcomer()
    fields = {
        "name": one.name,
        "certificate": "居民身份证",
        "number": one.number.text,
        "sex": "男" if one.sex is Sex.MALE else "女",
        "ethnic_group": "汉族",
        "birth_on": one.birth_on.isoformat(),
        "phone": one.phone,
        "address": one.address,
        "region": one.region,
        "bank": one.bank,
        "branch": one.branch,
    }
    with started(office, "console", "--port", "0") as (process, url):
        with httpx2.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as http:
            nobody = http.get(f"{V1}/applications")
            assert (nobody.status_code, nobody.json()["code"]) == (401, "session_ended")
            assert nobody.headers["x-content-type-options"] == "nosniff"
            wang = sign_in(office, http, "wang")
            body = {"fields": fields, "evidence": "identity_document"}
            filed = http.post(f"{V1}/applications", json=body, headers=wang)
            assert (filed.status_code, filed.json()["state"]) == (201, "accepted"), filed.text
            large = http.post(f"{V1}/applications", content=b"x" * 70_000, headers=wang)
            assert large.status_code == 413
        ticket = ticket_signs_a_browser_in(office, url)
        code, said = stop(process, signal.SIGTERM)
    assert code == 0, said
    assert one.name not in said
    assert ticket not in said
    assert '"route": "/v1/operator/applications", "status": 201' in said
    assert "Traceback" not in said
    shown = office.done("application", "show", filed.json()["filing_id"], operator="li")
    assert "accepted" in shown


@pytest.mark.parametrize(
    "url", ["http://desk.example", "https://wang@desk.example", "ftp://127.0.0.1"]
)
def test_a_password_travels_by_tls_or_not_at_all(office: Office, url: str) -> None:
    result = office.run("operator", "desk", "wang", *desk_options(office, url))
    refused(result, "密码不能明文传输", "must not travel in clear")


def test_the_key_signs_nothing_but_a_sign_in(office: Office) -> None:
    asked: list[str] = []

    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            body = json.dumps({"attempt": "0" * 32, "challenge": b"pay 100".hex()}).encode()
            self.send_response(201)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = office.run("operator", "desk", "wang", *desk_options(office, url))
        server.shutdown()
        thread.join()
    refused(result, "不是经办服务", "is no console")
    assert asked == [f"{V1}/challenges"]
    refused(
        office.run("operator", "desk", "wang", *desk_options(office, url)), "连不上", "no answer"
    )


def test_a_console_is_believed_by_the_authorities_that_were_named(
    office: Office, tmp_path: Path
) -> None:
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    certificate, key = ours.sign("desk", "localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    heard: list[bytes] = []

    class NoConsole(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            # All of it first: a connection closed with something unread may lose the answer.
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(502)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    for authority, told in ((others, "is not trusted"), (ours, "is no console")):
        with http.server.HTTPServer(("127.0.0.1", 0), NoConsole) as server:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            url = f"https://localhost:{server.server_port}"
            options = (*desk_options(office, url), "--ca-file", str(authority.pem))
            result = office.run("operator", "desk", "wang", *options)
            thread.join()
        refused(result, "请", told)
    assert len(heard) == 1
