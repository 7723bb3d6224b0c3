"""Writes tests/vectors/wire.json, the wire vectors of docs/integration.md, section 17.

    python -m tests.scan_api.make_wire_vectors

Every key, time, nonce and signature is the same each time. The file is committed;
test_wire_vectors.py holds it against this script and against the running service.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.scan_api.wire_signing import (
    ENROLMENT_CODE,
    NEXT,
    SERIAL,
    STRANGER,
    TERMINAL,
    FixedKey,
    b64,
    b64url,
    compact,
    der,
    header,
    lines,
    token_form,
)

FILE = Path(__file__).parents[1] / "vectors" / "wire.json"
NOW = 1_772_415_000  # 2026-03-02T01:30:00Z
AUDIENCE = "sscard-eb6b4ce595395024"
WINDOW = 300
BODY = compact({"code": "7406", "business_type": "02121", "request_id": "vectors-1"})

Row = dict[str, Any]


def document() -> Row:
    return {
        "format": "docs/integration.md, section 17",
        "made_by": "tests/scan_api/make_wire_vectors.py",
        "note": "Test keys that everybody knows: trust them nowhere.",
        "now": NOW,
        "terminal": {"serial_number": SERIAL, **TERMINAL.to_json()},
        "next_key": NEXT.to_json(),
        "stranger": STRANGER.to_json(),
        "token_audience": AUDIENCE,
        "enrolment_code": ENROLMENT_CODE,
        "signed_requests": list(signed_requests()),
        "enrolments": list(enrolments()),
        "next_keys": list(next_keys()),
        "client_assertions": list(client_assertions()),
    }


def signed_requests() -> Iterator[Row]:
    nonces = (f"{number:032x}" for number in range(0xA0, 0x100))

    def row(name: str, about: str, code: str | None = None, **more: Any) -> Row:
        return _signed_row(name, about, code, nonce=next(nonces), **more)

    good = row("get", "Who am I: no body, and the last line feed is there all the same")
    yield good
    yield row("post", "A scan", method="POST", target="/v1/scans", body=BODY)
    yield row("query", "The query is part of the target, as sent", target="/v1/terminal?a=%31&b=")
    yield row(
        "body of chinese",
        "UTF-8, as sent",
        method="POST",
        target="/v1/scans",
        body=compact({"code": "7406", "business_type": "02121", "request_id": "vectors-2"})[:-1]
        + ',"operator":"收银一号"}',
    )
    yield row("oldest", "As old as may be", time=NOW - WINDOW)
    yield row("newest", "As far ahead as may be", time=NOW + WINDOW)
    yield row("too old", "One second older: the clock is named", "clock_off", time=NOW - WINDOW - 1)
    yield row("too new", "One second further ahead", "clock_off", time=NOW + WINDOW + 1)
    yield {
        **good,
        "name": "again",
        "about": "The first one a second time: its nonce is used",
        "status": 401,
        "code": "not_authenticated",
    }
    for name, about, more in _WRONGLY_SIGNED:
        yield row(name, about, "not_authenticated", **more)
    for name, about, spell in _MISSPELLED:
        yield row(name, about, "not_authenticated", spell=spell)


_WRONGLY_SIGNED: list[tuple[str, str, Row]] = [
    ("other method", "Signed for POST, sent as GET", {"signed": {"method": "POST"}}),
    ("other target", "Signed for another path", {"signed": {"target": "/v1/terminals"}}),
    ("target with host", "Signed over the whole address",
     {"signed": {"target": "https://cards.example/v1/terminal"}}),
    ("query left out", "The query was sent and not signed",
     {"target": "/v1/terminal?a=1", "signed": {"target": "/v1/terminal"}}),
    ("other time", "Another time in the header than signed", {"signed": {"time": NOW - 1}}),
    ("other nonce", "Another nonce in the header than signed", {"signed": {"nonce": "0" * 32}}),
    ("other body", "A space more was sent than signed",
     {"method": "POST", "target": "/v1/scans", "body": BODY[:-1] + " }", "signed": {"body": BODY}}),
    ("no last line feed", "Nothing behind the body", {"cut": 1}),
    ("carriage returns", "Lines end in 0D 0A", {"swap": ("\n", "\r\n")}),
    ("other context", "The context of another version", {"swap": ("request/v1", "request/v2")}),
    ("stranger", "Signed by another key", {"key": STRANGER}),
    ("unknown terminal", "A serial number that nobody enrolled", {"terminal": "00000000000000ff"}),
    ("no signer id", "Signed under an empty signer id", {"signer_id": b""}),
    ("no Z", "Signed over SM3 of the message alone", {"signer_id": None}),
]  # fmt: skip
_MISSPELLED: list[tuple[str, str, Any]] = [
    ("raw signature", "r and s without DER", lambda h, raw: h.replace(b64(der(raw)), b64(raw))),
    ("base64url", "Another alphabet",
     lambda h, raw: h.replace(b64(der(raw)), b64(der(raw)).replace("+", "-").replace("/", "_")
                              .rstrip("="))),
    ("hex signature", "Hexadecimal for base64",
     lambda h, raw: h.replace(b64(der(raw)), der(raw).hex())),
    ("long form", "A length of DER in two bytes",
     lambda h, raw: h.replace(b64(der(raw)), b64(b"\x30\x81" + der(raw)[1:]))),
    ("negative r", "An INTEGER without the zero byte that keeps it positive",
     lambda h, raw: h.replace(b64(der(raw)), b64(_negative(raw)))),
    ("capitals", "Hexadecimal in capitals", lambda h, _: h.replace("00d7", "00D7")),
    ("spaces", "A space behind a comma", lambda h, _: h.replace(",time", ", time")),
    ("other order", "nonce before time", lambda h, _: _swapped(h)),
    ("no quotes", "The time without quotes", lambda h, _: h.replace(f'"{NOW}"', str(NOW))),
    ("other scheme", "The scheme in lower case",
     lambda h, _: h.replace("SSCARD-SM2", "sscard-sm2")),
]  # fmt: skip


def _negative(raw: bytes) -> bytes:
    """Both numbers as 32 bytes with the highest bit set, where DER wants 33."""
    parts = b"".join(
        b"\x02\x20" + bytes([raw[at] | 0x80]) + raw[at + 1 : at + 32] for at in (0, 32)
    )
    return b"\x30" + bytes([len(parts)]) + parts


def _swapped(text: str) -> str:
    scheme, _, rest = text.partition(" ")
    terminal, time, nonce, signature = rest.split(",")
    return f"{scheme} {','.join((terminal, nonce, time, signature))}"


def _signed_row(
    name: str,
    about: str,
    code: str | None,
    *,
    nonce: str,
    method: str = "GET",
    target: str = "/v1/terminal",
    body: str = "",
    time: int = NOW,
    terminal: str = SERIAL,
    key: FixedKey = TERMINAL,
    signer_id: bytes | None = b"1234567812345678",
    signed: Row | None = None,
    cut: int = 0,
    swap: tuple[str, str] = ("", ""),
    spell: Any = None,
) -> Row:
    """signed: what was signed in place of what is sent."""
    said: Row = {"method": method, "target": target, "time": time, "nonce": nonce, "body": body}
    said |= signed or {}
    text = lines("sscard/request/v1", *(str(said[one]) for one in said))
    text = text[: len(text) - cut].replace(*swap) if cut or swap[0] else text
    message = text.encode()
    raw = key.raw_without_z(message) if signer_id is None else key.raw(message, signer_id)
    value = header(b64(der(raw)), terminal=terminal, time=time, nonce=nonce)
    return {
        "name": name,
        "about": about,
        "method": method,
        "target": target,
        "body": body,
        "to_be_signed": text,
        "authorization": spell(value, raw) if spell else value,
        "status": 200 if code is None else 401,
        "code": code,
    }


def enrolments() -> Iterator[Row]:
    good = ("sscard/enrolment/v1", SERIAL, ENROLMENT_CODE, TERMINAL.public_key)
    grouped = "7KQMX-2VTNC-9RZ4D-WH3SP"

    def row(
        name: str,
        about: str,
        code: str | None,
        *,
        words: tuple[str, ...] = good,
        key: FixedKey = TERMINAL,
        encode: Any = lambda raw: b64(der(raw)),
        **sent: str,
    ) -> Row:
        text = lines(*words)
        body = {
            "enrolment_code": ENROLMENT_CODE,
            "serial_number": SERIAL,
            "public_key": TERMINAL.public_key,
            "proof": encode(key.raw(text.encode())),
        }
        return _proved(name, about, code, text, body | sent)

    yield row("stranger", "The proof is another key's", "enrolment_refused", key=STRANGER)
    yield row(
        "grouped code signed",
        "Signed with hyphens",
        "enrolment_refused",
        words=(*good[:2], grouped, good[3]),
    )
    yield row(
        "other serial signed",
        "Signed for another terminal",
        "enrolment_refused",
        words=(good[0], "00000000000000a2", *good[2:]),
    )
    yield row("raw proof", "r and s without DER", "enrolment_refused", encode=b64)
    yield row(
        "grouped code sent", "Hyphens in the member", "invalid_request", enrolment_code=grouped
    )
    yield row(
        "whole point sent",
        "04, x, y instead of the compressed point",
        "invalid_request",
        public_key=TERMINAL.point.hex(),
    )
    yield row("good", "The key is enrolled", None)
    yield row("good again", "The answer was lost: the same again gets it", None)


def next_keys() -> Iterator[Row]:
    good = ("sscard/terminal-key/v1", SERIAL, NEXT.public_key)

    def row(
        name: str, about: str, code: str | None, words: tuple[str, ...] = good, key: FixedKey = NEXT
    ) -> Row:
        text = lines(*words)
        body = {"public_key": NEXT.public_key, "proof": b64(der(key.raw(text.encode())))}
        return _proved(name, about, code, text, body)

    yield row(
        "present key's proof", "The proof is the present key's", "invalid_request", key=TERMINAL
    )
    yield row(
        "other context",
        "Signed as at enrolment",
        "invalid_request",
        ("sscard/enrolment/v1", *good[1:]),
    )
    yield row("good", "Both keys are good for a day", None)


def _proved(name: str, about: str, code: str | None, text: str, body: Row) -> Row:
    status = {None: 201, "enrolment_refused": 403, "invalid_request": 422}[code]
    told = {"to_be_signed": text, "body": compact(body), "status": status, "code": code}
    return {"name": name, "about": about, **told}


def client_assertions() -> Iterator[Row]:
    head = {"alg": "SGD_SM3_SM2", "kid": TERMINAL.key_name, "typ": "JWT"}
    claims = {"iss": SERIAL, "sub": SERIAL, "aud": AUDIENCE, "iat": NOW, "exp": NOW + WINDOW}
    serial = iter(range(1, 100))

    def row(
        name: str,
        about: str,
        *,
        is_good: bool = False,
        key: FixedKey = TERMINAL,
        encode: Any = b64url,
        head_has: Row | None = None,
        **claimed: Any,
    ) -> Row:
        header_text = compact(head | (head_has or {}))
        named = {"jti": f"vectors-assertion-{next(serial):04}"}
        claims_text = compact(claims | named | claimed)
        signed = f"{b64url(header_text.encode())}.{b64url(claims_text.encode())}"
        assertion = f"{signed}.{encode(key.raw(signed.encode()))}"
        return {
            "name": name,
            "about": about,
            "header": header_text,
            "claims": claims_text,
            "signing_input": signed,
            "assertion": assertion,
            "form": token_form(assertion),
            "status": 200 if is_good else 401,
            "error": None if is_good else "invalid_client",
        }

    good = row("good", "A token for 600 seconds", is_good=True)
    yield good
    again = {"name": "again", "about": "Its jti is used", "status": 401, "error": "invalid_client"}
    yield good | again
    yield row("der signature", "DER instead of r and s", encode=lambda raw: b64url(der(raw)))
    yield row("padded", "base64 with padding", encode=b64)
    yield row("stranger", "Signed by another key", key=STRANGER)
    yield row(
        "other kid",
        "The name of a key that the terminal has not",
        head_has={"kid": STRANGER.key_name},
    )
    yield row("other algorithm", "The algorithm of another curve", head_has={"alg": "ES256"})
    yield row("more in the header", "A member that is not allowed", head_has={"jku": "https://x"})
    yield row("other audience", "Meant for another installation", aud="sscard-0000000000000000")
    yield row("other subject", "iss and sub differ", sub="00000000000000a2")
    yield row("short jti", "15 characters", jti="vectors-no-more")
    yield row("too old", "Made 301 s ago", iat=NOW - WINDOW - 1, exp=NOW - 1)
    yield row("over", "It ended this second", iat=NOW - WINDOW, exp=NOW)
    yield row("too long", "It would live 301 s", exp=NOW + WINDOW + 1)
    yield row("times in words", "Times are numbers", iat="2026-03-02T01:30:00Z")


def main() -> None:
    FILE.write_text(json.dumps(document(), ensure_ascii=True, indent=1) + "\n", "ascii")


if __name__ == "__main__":
    main()
