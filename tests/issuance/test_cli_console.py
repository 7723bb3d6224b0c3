"""`sscard console`: a real process; an operator signs in with password and key, and works."""

import signal

import httpx2
from filing import newcomer
from office import PIN, Office, password_of
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
        code, said = stop(process, signal.SIGTERM)
    assert code == 0, said
    assert one.name not in said
    assert "Traceback" not in said
    shown = office.done("application", "show", filed.json()["filing_id"], operator="li")
    assert "accepted" in shown
