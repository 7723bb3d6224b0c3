"""Access tokens are sold for a good assertion, once, and for nothing else."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from scan_service import ScanService, TerminalDevice
from token_purchase import FORM, Draft, ask_who, name_of

from crypto import jose, sm2
from scan_api.refusal_limit import REFUSALS_MAX
from scan_api.terminals.access_tokens import (
    LIFE_SECONDS,
)
from scan_api.terminals.assertions import client_assertion
from scan_api.terminals.registry import key_name


def test_an_assertion_buys_a_token_that_says_who_asks(service: ScanService) -> None:
    answer = Draft(service).send()
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", LIFE_SECONDS)
    assert answer.headers["Cache-Control"] == "no-store"
    who = ask_who(service, answer.json()["access_token"])
    assert who.json()["serial_number"] == service.pharmacy.serial_number.hex()
    # A token is not spent by using it.
    assert ask_who(service, answer.json()["access_token"]).status_code == 200


def test_the_terminals_own_making_of_assertions_is_taken(service: ScanService) -> None:
    device, draft = service.hospital, Draft(service)
    public_key = device.key.public_key().to_bytes(compressed=True)
    draft.text = client_assertion(
        device.key,
        device.serial_number,
        key_name(public_key),
        audience=draft.payload["aud"],
        jti="0123456789abcdef",
        now=int(service.clock().timestamp()),
    )
    token = draft.send().json()["access_token"]
    assert ask_who(service, token).json()["institution_kind"] == "hospital"


def _payload(**changed: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.payload.update(changed)


def _head(**changed: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.head.update(changed)


def _without(name: str) -> Callable[[Draft], None]:
    def drop(draft: Draft) -> None:
        draft.payload.pop(name, None)
        draft.head.pop(name, None)

    return drop


def _later(name: str, seconds: int) -> Callable[[Draft], None]:
    return lambda draft: draft.payload.update({name: draft.payload[name] + seconds})


def _signed_as(algorithm: str, key: Callable[[Draft], Any]) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.algorithm, draft.key = algorithm, key(draft)

    return change


def _edit(change: Callable[[str], str]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.text = change(draft.assertion())

    return apply


def _replace_head(**members: Any) -> Callable[[str], str]:
    def change(text: str) -> str:
        _, payload, signature = text.split(".")
        encoded = base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()
        return f"{encoded}.{payload}.{signature}"

    return change


def _es256() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _flipped(text: str) -> str:
    return text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]


def _other(draft: Draft) -> str:
    return name_of(draft.service.hospital)


def _replayed(draft: Draft) -> None:
    assert draft.send().status_code == 200


def _same_jti(draft: Draft) -> None:
    assert draft.send().status_code == 200
    draft.payload["exp"] -= 1


def _point(draft: Draft) -> bytes:
    return draft.device.key.public_key().to_bytes()


def _stranger(draft: Draft) -> None:
    device = TerminalDevice(b"stranger", draft.service.clock)
    serial = device.serial_number.hex()
    draft.key, draft.head["kid"] = device.key, name_of(device)
    draft.payload |= {"iss": serial, "sub": serial}


MUTATIONS: dict[str, Callable[[Draft], None]] = {
    # the algorithm
    "alg none": _signed_as("none", lambda _: None),
    "alg none, in another case": _edit(_replace_head(alg="None", kid="0" * 16)),
    "no signature": _edit(lambda text: text.rpartition(".")[0] + "."),
    "HS256 with the public key": _signed_as("HS256", _point),
    "HS256 with the compressed key": _signed_as(
        "HS256", lambda d: d.device.key.public_key().to_bytes(compressed=True)
    ),
    "ES256": _signed_as("ES256", lambda _: _es256()),
    "our signature, called ES256": lambda d: _edit(_replace_head(alg="ES256", **d.head))(d),
    "our signature, called SM2": lambda d: _edit(_replace_head(alg="SM2", **d.head))(d),
    "alg in lower case": lambda d: _edit(_replace_head(alg="sgd_sm3_sm2", **d.head))(d),
    "no alg": lambda d: _edit(_replace_head(**d.head))(d),
    # the key
    "no kid": _without("kid"),
    "kid of another terminal": lambda d: d.head.update(kid=_other(d)),
    "kid as a path": _head(kid="../../keys/terminal"),
    "kid as an address": _head(kid="https://example.test/jwks"),
    "kid as an injection": _head(kid="' or '1'='1"),
    "kid as a list": _edit(_replace_head(alg=jose.ALGORITHM, kid=["0" * 16])),
    "kid in capitals": lambda d: d.head.update(kid=d.head["kid"].upper()),
    "a key inside": lambda d: d.head.update(jwk=jose.SM2Algorithm.to_jwk(d.key.public_key(), True)),
    "a place of keys": _head(jku="https://example.test/jwks"),
    "a certificate": _head(x5c=["AAAA"]),
    "a place of certificates": _head(x5u="https://example.test/x5u"),
    "a critical extension": _head(crit=["exp"]),
    "an unencoded payload": _head(b64=False),
    "another type": _head(typ="at+jwt"),
    "another terminal's key": lambda d: setattr(d, "key", d.service.hospital.key),
    "a new key": lambda d: setattr(d, "key", sm2.PrivateKey.generate()),
    "a terminal that nobody enrolled": _stranger,
    # who and for whom
    "another issuer": lambda d: d.payload.update(iss=d.service.hospital.serial_number.hex()),
    "another subject": lambda d: d.payload.update(sub=d.service.hospital.serial_number.hex()),
    "in another terminal's name": lambda d: d.payload.update(
        iss=d.service.hospital.serial_number.hex(), sub=d.service.hospital.serial_number.hex()
    ),
    "no issuer": _without("iss"),
    "no subject": _without("sub"),
    "no audience": _without("aud"),
    "another installation": _payload(aud="sscard-0123456789abcdef"),
    "an audience of everybody": _payload(aud="*"),
    "an empty audience": _payload(aud=""),
    "several audiences": lambda d: d.payload.update(aud=[d.payload["aud"], "other"]),
    "another client": lambda d: d.form.update(client_id=d.service.hospital.serial_number.hex()),
    # when
    "issued 301 seconds ago": lambda d: d.payload.update(
        iat=d.payload["iat"] - 301, exp=d.payload["iat"] - 1
    ),
    "issued in 301 seconds": lambda d: d.payload.update(
        iat=d.payload["iat"] + 301, exp=d.payload["exp"] + 301
    ),
    "expired now": lambda d: d.payload.update(iat=d.payload["iat"] - 60, exp=d.payload["iat"]),
    "a life of 301 seconds": _later("exp", 1),
    "a life of none": lambda d: d.payload.update(exp=d.payload["iat"]),
    "a life that ends before it begins": lambda d: d.payload.update(exp=d.payload["iat"] - 10),
    "no end": _without("exp"),
    "no beginning": _without("iat"),
    "times as text": lambda d: d.payload.update(exp=str(d.payload["exp"])),
    "times with a fraction": lambda d: d.payload.update(exp=d.payload["exp"] + 0.5),
    "a time of yes": _payload(iat=True),
    # once
    "the same bytes again": _replayed,
    "the same jti in another assertion": _same_jti,
    "no jti": _without("jti"),
    "a short jti": _payload(jti="1"),
    "a long jti": _payload(jti="j" * 129),
    # the text
    "a bit of the signature": _edit(_flipped),
    "the payload of another": lambda d: _edit(
        lambda text: ".".join((text.split(".")[0], d.assertion()[5:40], text.split(".")[2]))
    )(d),
    "a part more": _edit(lambda text: text + ".AAAA"),
    "a space at the end": _edit(lambda text: text + " "),
    "padding": _edit(lambda text: text + "="),
    "too long": _payload(filler="f" * 2048),
    "very deep": _edit(
        lambda text: base64.urlsafe_b64encode(b"[" * 900).decode() + "." + text.split(".", 1)[1]
    ),
    "nothing": lambda d: d.form.update(client_assertion=""),
}


def test_there_are_enough_mutations() -> None:
    assert len(MUTATIONS) >= 50


@pytest.mark.parametrize("name", MUTATIONS)
def test_no_mutation_of_an_assertion_buys_a_token(service: ScanService, name: str) -> None:
    draft = Draft(service)
    MUTATIONS[name](draft)
    answer = draft.send()
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "access_token" not in answer.text
    assert answer.json()["error_description"].isascii()
    assert answer.json()["error_description_zh"]
    assert answer.headers["Content-Type"] == "application/json"


FORMS: dict[str, tuple[dict[str, str], str]] = {
    "another grant": ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
    "a password": ({"grant_type": "password"}, "unsupported_grant_type"),
    "another assertion type": ({"client_assertion_type": "saml2-bearer"}, "invalid_request"),
    "a scope": ({"scope": "everything"}, "invalid_scope"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_asks_for_something_else_is_told_so(service: ScanService, name: str) -> None:
    changed, error = FORMS[name]
    draft = Draft(service)
    draft.form |= changed
    answer = draft.send()
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    "body", ["", "grant_type", "{}", "grant_type=client_credentials&grant_type=client_credentials",
             "grant_type=client_credentials", "&".join(f"a{i}=1" for i in range(100)), "%ff=1"]
)  # fmt: skip
def test_what_is_no_such_form_is_an_invalid_request(service: ScanService, body: str) -> None:
    answer = service.http.post("/v1/oauth/token", content=body, headers={"Content-Type": FORM})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_json_body_is_an_invalid_request(service: ScanService) -> None:
    draft = Draft(service)
    draft.content_type = "application/json"
    assert draft.send().json()["error"] == "invalid_request"


def test_a_parameter_that_nobody_knows_is_let_pass(service: ScanService) -> None:
    draft = Draft(service)
    draft.form["resource"] = "scans"
    assert draft.send().status_code == 200


def test_a_clock_that_is_off_is_told_to_whoever_signed(service: ScanService) -> None:
    draft = Draft(service)
    MUTATIONS["issued 301 seconds ago"](draft)
    assert draft.send().json()["server_time"] == int(service.clock().timestamp())
    draft.key = sm2.PrivateKey.generate()
    assert "server_time" not in draft.send().json()


@pytest.mark.parametrize("seconds", [-299, 300])
def test_the_window_takes_its_last_second(service: ScanService, seconds: int) -> None:
    draft = Draft(service)
    draft.payload["iat"] += seconds
    draft.payload["exp"] += seconds
    assert draft.send().status_code == 200


def test_the_eleventh_failure_in_a_minute_has_to_wait_and_a_good_assertion_never(
    service: ScanService,
) -> None:
    for number in range(REFUSALS_MAX + 5):
        draft = Draft(service)
        draft.key = sm2.PrivateKey.generate()
        answer = draft.send()
        assert answer.status_code == (401 if number < REFUSALS_MAX else 429)
    assert int(answer.headers["Retry-After"]) > 0
    assert Draft(service).send().status_code == 200
