import base64

import pytest

from crypto import sm2
from scan_api.signed_requests import (
    SignedRequest,
    SignedRequestError,
    authorization,
    to_be_signed,
)

PRIVATE_KEY = sm2.PrivateKey.from_bytes(bytes(31) + b"\x07")
TERMINAL = bytes.fromhex("00000000000000a1")
NONCE = bytes(range(16))
BODY = b'{"code":"7406"}\n'


def signed(**changed: object) -> SignedRequest:
    fields = {"method": "POST", "target": "/v1/scans?a=1", "body": BODY} | changed
    header = authorization(
        PRIVATE_KEY, TERMINAL, signed_at=1767225600, nonce=NONCE, **fields
    ).encode()
    return SignedRequest(authorization=[header], **fields)


def check_signature(request: SignedRequest) -> None:
    assertion = request.assertion()
    PRIVATE_KEY.public_key().verify(assertion.signature, request.signed_bytes(assertion))


def test_the_worked_example_of_the_signed_bytes() -> None:
    assert to_be_signed("POST", "/v1/scans?a=1", 1767225600, NONCE, BODY) == (
        b"sscard/request/v1\nPOST\n/v1/scans?a=1\n1767225600\n"
        b"000102030405060708090a0b0c0d0e0f\n"
        b'{"code":"7406"}\n\n'
    )


def test_the_worked_example_verifies_as_written_down() -> None:
    # Made once and kept: a change of the header or of the bytes must not go unseen.
    header = (
        b'SSCARD-SM2 terminal="00000000000000a1",time="1767225600",'
        b'nonce="000102030405060708090a0b0c0d0e0f",signature="'
        b"MEQCIB1SzZjZImG9EQGR5w2LDtTas780tiDgj6ihQcUv4IPS"
        b'AiBiDBhsTKCZYHzomjLau8mwbHkfGjhspD5N7Jr5rbrhGQ=="'
    )
    request = SignedRequest("POST", "/v1/scans?a=1", BODY, [header])
    check_signature(request)


def test_what_is_signed_is_read_back_and_verifies() -> None:
    request = signed()
    assertion = request.assertion()
    assert (assertion.terminal, assertion.signed_at, assertion.nonce) == (
        TERMINAL,
        1767225600,
        NONCE,
    )
    check_signature(request)


@pytest.mark.parametrize(
    "changed",
    [{"method": "PUT"}, {"target": "/v1/scans?a=2"}, {"target": "/v1/scans"}, {"body": BODY[:-1]}],
)
def test_a_signature_is_good_for_one_method_target_and_body(changed: dict[str, object]) -> None:
    fields = {"method": "POST", "target": "/v1/scans?a=1", "body": BODY} | changed
    moved = SignedRequest(authorization=signed().authorization, **fields)
    with pytest.raises(sm2.InvalidSignatureError):
        check_signature(moved)


def _respelled(header: str) -> list[str]:
    head, _, tail = header.partition('signature="')
    encoded = tail.removesuffix('"')
    der = base64.b64decode(encoded)
    other = [
        header.replace("SSCARD-SM2", "sscard-sm2"),
        header.replace("SSCARD-SM2 ", "SSCARD-SM2  "),
        header.replace(",time", ", time"),
        header.replace('time="', 'time="0'),
        header.replace('time="', 'time="+'),
        header.replace('"1767225600"', "1767225600"),
        header.replace('"1767225600"', '"1767225600.0"'),
        header.replace('"00000000000000a1"', '"00000000000000A1"'),
        header.replace('"00000000000000a1"', '"000000000000a1"'),
        header.replace('"000102', '"000102ff'),
        header + ',extra="1"',
        header + "\n",
        header + " ",
        " " + header,
        header.replace('terminal="', 'terminal="00000000000000a2",terminal="'),
        "Bearer " + encoded,
        "",
    ]
    signatures = [
        encoded.rstrip("=") if encoded.endswith("=") else encoded + "=",
        encoded[:10] + "\n" + encoded[10:],
        encoded.replace("+", "-").replace("/", "_") + "-",
        base64.b64encode(sm2.signature_from_der(der)).decode(),
        base64.b64encode(der + b"\x00").decode(),
        # 30 45 02 21 00.. with a length in the long form, which BER takes and DER does not
        base64.b64encode(b"\x30\x81" + der[1:]).decode(),
        base64.b64encode(der[:4] + b"\x00" + der[4:]).decode(),
        der.hex(),
    ]
    return other + [f'{head}signature="{text}"' for text in signatures]


@pytest.mark.parametrize("index", range(25))
def test_no_other_spelling_of_the_header_is_read(index: int) -> None:
    request = signed()
    spellings = _respelled(request.authorization[0].decode())
    assert len(spellings) == 25
    spelled = spellings[index].encode()
    assert spelled != request.authorization[0]
    changed = SignedRequest(request.method, request.target, request.body, [spelled])
    with pytest.raises(SignedRequestError):
        changed.assertion()


def test_spare_bits_of_base64_are_refused() -> None:
    """A signature of 71 bytes ends in one '=', and two spare bits that decoders ignore."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for _ in range(200):
        request = signed()
        header = request.authorization[0].decode()
        if not header.endswith('="') or header.endswith('=="'):
            continue
        letter = header[-3]
        spelled = header[:-3] + alphabet[alphabet.index(letter) | 1] + '="'
        assert spelled != header
        with pytest.raises(SignedRequestError):
            SignedRequest("POST", "/", b"", [spelled.encode()]).assertion()
        return
    pytest.fail("no signature of 71 bytes came up")


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_authorization_header_is_read(count: int) -> None:
    request = signed()
    with pytest.raises(SignedRequestError):
        SignedRequest("POST", "/", b"", list(request.authorization) * count).assertion()
