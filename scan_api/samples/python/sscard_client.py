"""A terminal's client, written by docs/integration.md: Python 3.11 and gmssl-pyx, nothing else.

    python sscard_client.py enrol --folder DIR --service URL --serial HEX --code CODE
    python sscard_client.py terminal --folder DIR
    python sscard_client.py scan --folder DIR --business-type 02121 [--amount-fen 2350]
           [--request-id ID] [--receipt-keys FILE] [--twice] [--json] CODE...

Exit code 0: answered, also where the answer is "refused"; 1: not answered, or a fault of ours. The
sections that are named are those of docs/integration.md. This sample keeps the private key in a
file; a product keeps it in a module and asks that to sign.
"""

import argparse
import base64
import http.client
import json
import os
import secrets
import ssl
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from gmssl_pyx import (
    normalize_sm2_public_key,
    sm2_key_generate,
    sm2_sign,
    sm2_verify,
    sm3_hash,
)

ANSWER_SECONDS = 3.0
PAUSES_SECONDS = (0.0, 0.2, 0.8)
RETRY_AFTER_MAX_SECONDS = 30
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JSON_TYPE = "application/json"

Object = dict[str, Any]


class FaultError(Exception):
    """What the person is told: in Chinese, then in English."""


@dataclass(frozen=True)
class Sm2Key:
    """private: 32 bytes. point: x and y, 64 bytes. The library takes the signer id of section 3."""

    private: bytes
    point: bytes

    @property
    def public_hex(self) -> str:
        """The compressed point."""
        return (bytes([2 + self.point[-1] % 2]) + self.point[:32]).hex()

    def sign_der(self, message: bytes) -> bytes:
        signature: bytes = sm2_sign(self.private, self.point, message)
        return signature

    def sign_raw(self, message: bytes) -> bytes:
        """r and s, 32 bytes each."""
        der = self.sign_der(message)
        r_end = 4 + der[3]
        numbers = der[4:r_end], der[r_end + 2 :]
        return b"".join(int.from_bytes(one).to_bytes(32) for one in numbers)


class Service:
    """The service as one terminal calls it."""

    def __init__(self, base: str, serial_number: str, key: Sm2Key) -> None:
        self.address = urlsplit(base)
        is_here = self.address.hostname in {"127.0.0.1", "localhost"}
        # Names and numbers never travel in clear.
        if self.address.scheme != "https" and not (self.address.scheme == "http" and is_here):
            raise FaultError("服务地址必须是 https。The service's address must be https.")
        self.serial_number = serial_number
        self.key = key
        self.clock_offset_seconds = 0

    def enrol(self, code: str) -> Object:
        """Section 4. code: without hyphens."""
        signed = lines("sscard/enrolment/v1", self.serial_number, code, self.key.public_hex)
        members = {
            "enrolment_code": code,
            "serial_number": self.serial_number,
            "public_key": self.key.public_hex,
            "proof": b64(self.key.sign_der(signed)),
        }
        body = json.dumps(members).encode()
        return read(self._ask("POST", "/v1/terminals/enrolments", JSON_TYPE, lambda: body))

    def buy_token(self, audience: str, key_name: str) -> str:
        """Section 5.2; good for ten minutes."""

        def form() -> bytes:
            now = self._now()
            header = {"alg": "SGD_SM3_SM2", "kid": key_name, "typ": "JWT"}
            claims = {
                "iss": self.serial_number,
                "sub": self.serial_number,
                "aud": audience,
                "jti": str(uuid.uuid4()),
                "iat": now,
                "exp": now + 300,
            }
            signed = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
            assertion = f"{signed}.{b64url(self.key.sign_raw(signed.encode()))}"
            parameters = {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
            return urlencode(parameters).encode()

        form_type = "application/x-www-form-urlencoded"
        return str(read(self._ask("POST", "/v1/oauth/token", form_type, form))["access_token"])

    def get(self, target: str, token: str) -> Object:
        """With a token: for what consumes nothing."""
        return read(self._ask("GET", target, None, lambda: b"", lambda: f"Bearer {token}"))

    def post(self, target: str, body: bytes) -> bytes:
        """Signed, and signed anew for each attempt; the answer's bytes as they came."""
        answer = self._ask(
            "POST",
            target,
            JSON_TYPE,
            lambda: body,
            lambda: self.authorization("POST", target, body),
        )
        read(answer)
        return answer[1]

    def authorization(self, method: str, target: str, body: bytes) -> str:
        """Section 5.1."""
        now, nonce = str(self._now()), secrets.token_hex(16)
        signed = request_bytes(method, target, now, nonce, body)
        return (
            f'SSCARD-SM2 terminal="{self.serial_number}",time="{now}",nonce="{nonce}",'
            f'signature="{b64(self.key.sign_der(signed))}"'
        )

    def _ask(
        self,
        method: str,
        target: str,
        content_type: str | None,
        body: Callable[[], bytes],
        authorization: Callable[[], str] | None = None,
    ) -> tuple[int, bytes]:
        """Section 6: three tries; what was not answered clearly is unknown, never a yes."""
        wait = 0.0
        for pause in PAUSES_SECONDS:
            time.sleep(max(pause, wait))
            wait = 0.0
            headers = {"Content-Type": content_type} if content_type else {}
            if authorization:
                headers["Authorization"] = authorization()
            try:
                status, retry_after, answer = self._send(method, target, body(), headers)
                fault = json.loads(answer)
            except (OSError, http.client.HTTPException, ValueError):
                continue
            if not isinstance(fault, dict):
                continue  # a page of something in between
            if status == 401 and "server_time" in fault:
                self._learn_clock(int(fault["server_time"]))
            elif (status < 500 and status != 408) or fault.get("code") == "self_test_failed":
                return status, answer
            elif retry_after.isdigit():
                wait = min(int(retry_after), RETRY_AFTER_MAX_SECONDS)
        raise FaultError(
            "结果未知，请稍后用同一 request_id 再问。"
            "The outcome is unknown; ask again with the same request_id."
        )

    def _send(
        self, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        host, port = self.address.hostname or "", self.address.port
        connection: http.client.HTTPConnection
        if self.address.scheme == "https":
            # Checks certificate and name.
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                host, port, timeout=ANSWER_SECONDS, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            return response.status, response.getheader("Retry-After", ""), response.read()
        finally:
            connection.close()

    def _learn_clock(self, server_time: int) -> None:
        """Section 13: the next attempt is signed with the service's time."""
        self.clock_offset_seconds = int(time.time()) - server_time
        off, is_fast = abs(self.clock_offset_seconds), self.clock_offset_seconds > 0
        zh, en = ("快", "fast") if is_fast else ("慢", "slow")
        print(f"本终端{zh} {off} 秒。This terminal is {off} s {en}.", file=sys.stderr)

    def _now(self) -> int:
        return int(time.time()) - self.clock_offset_seconds


def request_bytes(method: str, target: str, now: str, nonce: str, body: bytes) -> bytes:
    """What is under a request's signature (section 5.1)."""
    return lines("sscard/request/v1", method, target, now, nonce) + body + b"\n"


def lines(*words: str) -> bytes:
    """Each word with a line feed behind it, the last one too."""
    return "".join(f"{word}\n" for word in words).encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(answer: tuple[int, bytes]) -> Object:
    """The answer's object; a problem document or an OAuth error becomes a FaultError."""
    status, data = answer
    found: Object = json.loads(data)
    if status in {200, 201}:
        return found
    word = found.get("code") or found.get("error")
    zh = found.get("detail_zh") or found.get("error_description_zh")
    en = found.get("detail") or found.get("error_description")
    raise FaultError(f"{word}: {zh} {en}")


def check_receipt(verdict: Object, keys: Object, expected: Object) -> None:
    """Whether the issuer itself says so (docs/receipts.md). expected: as in the request.

    Raises: FaultError.
    """
    try:
        text = verdict["receipt"]
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        content, behind, signature = data[3 : 3 + data[2]], data[3 + data[2] : -64], data[-64:]
        log = 153 + content[152]
        amount = int.from_bytes(content[49:53])
        said = {
            "scan_id": content[12:28].hex(),
            "business_type": content[44:49].decode(),
            "amount_fen": None if amount == 0xFFFF_FFFF else amount,
            "serial_number": content[104:112].hex(),
            "institution_code": content[log + 1 : log + 1 + content[log]].decode(),
        }
        is_whole = data[0] == 1 and content[0] == 1 and len(content) == log + 1 + content[log]
        signed = _signed_of_receipt(data[1], content, behind)
        holds = is_whole and said == {"scan_id": verdict["scan_id"], **expected}
        holds = holds and _verifies(keys, content, signed, signature)
    except (ValueError, IndexError, KeyError, TypeError):
        holds = False
    if not holds:
        raise FaultError("凭据无效，不予采信。The receipt is not valid: don't rely on it.")


def _signed_of_receipt(form: int, content: bytes, behind: bytes) -> bytes:
    """Section 3 of receipts.md: by itself, or the root of its group's tree."""
    if form == 1 and not behind:
        return b"sscard/receipt/v1\0" + content
    index, size = int.from_bytes(behind[:2]), int.from_bytes(behind[2:4])
    path = [behind[at : at + 32] for at in range(4, len(behind), 32)]
    if form != 2 or not 2 <= size <= 4096 or index >= size:
        raise ValueError("receipt")
    found, last = sm3_hash(b"\0" + content), size - 1
    while last > 0:
        if index % 2:
            found = sm3_hash(b"\1" + path.pop(0) + found)
        elif index < last:
            found = sm3_hash(b"\1" + found + path.pop(0))
        index, last = index // 2, last // 2
    if path:
        raise ValueError("receipt")
    return b"sscard/receipt-group/v1\0" + content[1:4] + behind[2:4] + bytes(found)


def _verifies(keys: Object, content: bytes, signed: bytes, signature: bytes) -> bool:
    named = (int.from_bytes(content[1:3]), content[3])
    at = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    at += timedelta(milliseconds=int.from_bytes(content[4:12]))
    for key in keys["keys"]:
        if (key["issuer"], key["number"]) == named and _is_believed(key, at):
            point = normalize_sm2_public_key(bytes.fromhex(key["public_key"]))
            der = b"".join(_der_integer(signature[at : at + 32]) for at in (0, 32))
            return bool(sm2_verify(point, signed, b"\x30" + bytes([len(der)]) + der))
    return False


def _is_believed(key: Object, at: datetime) -> bool:
    """Section 4 of receipts.md."""
    minute = timedelta(seconds=60)
    begins, ends = key["active_from"], key["active_until"]
    return (
        key["state"] in {"active", "verify_only"}
        and (begins is None or at >= datetime.fromisoformat(begins) - minute)
        and (ends is None or at <= datetime.fromisoformat(ends) + minute)
    )


def _der_integer(number: bytes) -> bytes:
    value = int.from_bytes(number)
    content = value.to_bytes(value.bit_length() // 8 + 1)
    return b"\x02" + bytes([len(content)]) + content


def enrol(options: argparse.Namespace) -> None:
    """Once: make a key, write it down, bring it to the service with the bureau's code."""
    file = options.folder / "terminal.json"
    if file.exists():
        # An enrolment whose answer was lost goes on with the same key.
        settings = json.loads(file.read_text())
    else:
        point, private = sm2_key_generate()
        key = {"private_key": private.hex(), "point": point.hex()}
        settings = {"service": options.service, "serial_number": options.serial, **key}
        keep(file, settings)
    read_as = str.maketrans("OIL", "011", "- ")
    answer = service_of(settings).enrol(options.code.upper().translate(read_as))
    settings |= {name: answer[name] for name in ("key_name", "token_audience")}
    keep(file, settings)
    print("已登记。Enrolled.")


def describe(settings: Object) -> Object:
    """Who we are: with a token, because nothing is consumed. A product keeps the token."""
    service = service_of(settings)
    token = service.buy_token(settings["token_audience"], settings["key_name"])
    return service.get("/v1/terminal", token)


def scan(options: argparse.Namespace, settings: Object) -> None:
    service = service_of(settings)
    keys = place = None
    if options.receipt_keys:
        keys, place = json.loads(options.receipt_keys.read_text()), describe(settings)
    for code in options.codes:
        # Fixed before anything is sent: whatever happens, this very request can be asked again.
        request: Object = {
            "code": code,
            "business_type": options.business_type,
            "request_id": options.request_id or str(uuid.uuid4()),
        }
        if options.amount_fen is not None:
            request["amount_fen"] = options.amount_fen
        body = json.dumps(request).encode()
        answer = service.post("/v1/scans", body)
        if options.twice:
            # As after a lost answer: the same request, signed anew, spends nothing.
            is_same = service.post("/v1/scans", body) == answer
            print("答复相同 same answer" if is_same else "答复不同 another answer", file=sys.stderr)
        verdict = json.loads(answer)
        if keys and place and verdict["receipt"]:
            own = {name: place[name] for name in ("serial_number", "institution_code")}
            asked = {"business_type": options.business_type, "amount_fen": options.amount_fen}
            check_receipt(verdict, keys, own | asked)
            print("凭据有效 receipt valid", file=sys.stderr)
        if options.json:
            print(answer.decode())
        else:
            show_verdict(verdict)


def show_verdict(verdict: Object) -> None:
    """Only "accepted" is a yes; every other word, known or not, is a no."""
    is_accepted = verdict["outcome"] == "accepted"
    action = verdict["next_action"]
    print("通过 accepted" if is_accepted else "拒绝 refused", verdict["reason"])
    print(f"  {verdict['text_zh']} {verdict['text_en']}")
    print(f"  窗口 Clerk: {action['clerk_zh']} {action['clerk_en']}")
    print(f"  持卡人 Holder: {action['holder_zh']} {action['holder_en']}")
    for name, value in (verdict["holder"] or {}).items():
        if value is not None:
            print(f"  {name}: {value}")


def service_of(settings: Object) -> Service:
    key = Sm2Key(bytes.fromhex(settings["private_key"]), bytes.fromhex(settings["point"]))
    return Service(settings["service"], settings["serial_number"], key)


def keep(file: Path, settings: Object) -> None:
    """The owner alone may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        json.dump(settings, opened)
    beside.replace(file)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["enrol", "terminal", "scan"])
    parser.add_argument("codes", nargs="*", metavar="CODE")
    parser.add_argument("--folder", type=Path, required=True)
    for name in ("--service", "--serial", "--code", "--business-type", "--request-id"):
        parser.add_argument(name)
    parser.add_argument("--amount-fen", type=int)
    parser.add_argument("--receipt-keys", type=Path)
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_intermixed_args()
    try:
        if options.command == "enrol":
            enrol(options)
            return
        settings = json.loads((options.folder / "terminal.json").read_text())
        if options.command == "terminal":
            for name, value in describe(settings).items():
                print(f"{name}: {value}")
        else:
            scan(options, settings)
    except (FaultError, OSError) as error:
        sys.exit(f"错误 Error: {error}")


if __name__ == "__main__":
    main()
