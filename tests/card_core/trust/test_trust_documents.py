"""The bytes of trust lists: one reading, and nothing that was changed is taken."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bureau import MemorySigner
from hypothesis import given
from hypothesis import strategies as st
from trusting import PROVINCE, document, entry, key, trust_list

from card_core import trust
from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.trust import TrustedKey, TrustList, TrustListRefusedError, check_url
from card_core.trust.document import CONTEXT
from crypto import sm2

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
AUTHORITY = PROVINCE.public_key
STRANGER = MemorySigner(sm2.PrivateKey.generate())
LIST = trust_list(NOW, entry(2, keys=(key(), key(purpose=KeyPurpose.PEER))), entry(3))
DOCUMENT = trust.sign(LIST, PROVINCE)


def why(signed: bytes) -> str:
    with pytest.raises(TrustListRefusedError) as refused:
        trust.verify(signed, [AUTHORITY])
    return refused.value.why


def signed_content(content: bytes) -> bytes:
    """Whatever content, properly signed."""
    signature = PROVINCE.sign(CONTEXT + content)
    parts = {"trust_list": content, "signature": signature}
    return json.dumps(
        {name: base64.b64encode(part).decode() for name, part in parts.items()}
    ).encode()


def changed(change: Any) -> bytes:
    content = json.loads(base64.b64decode(json.loads(DOCUMENT)["trust_list"]))
    change(content)
    return signed_content(json.dumps(content).encode())


def test_a_list_comes_back_as_it_was_signed() -> None:
    assert trust.verify(DOCUMENT, [AUTHORITY]) == LIST == trust.read_signed(DOCUMENT)
    assert trust.verify(DOCUMENT, [STRANGER.public_key, AUTHORITY]) == LIST


def test_nobody_elses_signature_counts() -> None:
    assert why(document(NOW, entry(), signer=STRANGER)) == "bad_signature"
    with pytest.raises(TrustListRefusedError):
        trust.verify(DOCUMENT, [])
    content = base64.b64decode(json.loads(DOCUMENT)["trust_list"])
    other_context = {
        "trust_list": base64.b64encode(content).decode(),
        "signature": base64.b64encode(PROVINCE.sign(content)).decode(),
    }
    assert why(json.dumps(other_context).encode()) == "bad_signature"


@given(st.integers(0, len(DOCUMENT) * 8 - 1))
def test_any_flipped_bit_is_refused_or_changes_nothing(bit: int) -> None:
    """Space around the JSON is not signed; everything that says something is."""
    flipped = bytearray(DOCUMENT)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        found = trust.verify(bytes(flipped), [AUTHORITY])
    except TrustListRefusedError:
        return
    assert found == LIST


CHANGES: dict[str, Any] = {
    "unknown name": lambda data: data.update(extra=1),
    "missing name": lambda data: data.pop("edition"),
    "edition 0": lambda data: data.update(edition=0),
    "edition true": lambda data: data.update(edition=True),
    "edition text": lambda data: data.update(edition="1"),
    "instant with fraction": lambda data: data.update(issued_at="2026-03-02T01:30:00.5Z"),
    "instant without zone": lambda data: data.update(issued_at="2026-03-02T01:30:00"),
    "instant spelled otherwise": lambda data: data.update(issued_at="2026-3-2T1:30:00Z"),
    "instant a number": lambda data: data.update(issued_at=5),
    "expires before": lambda data: data.update(expires_at=data["issued_at"]),
    "issuers no list": lambda data: data.update(issuers={}),
    "issuer twice": lambda data: data["issuers"].append({**data["issuers"][1]}),
    "issuer 0": lambda data: data["issuers"][0].update(number=0),
    "issuer 65536": lambda data: data["issuers"][0].update(number=65536),
    "no name": lambda data: data["issuers"][0].update(name=""),
    "long name": lambda data: data["issuers"][0].update(name="x" * 65),
    "name with line": lambda data: data["issuers"][0].update(name="a\nb"),
    "plain http": lambda data: data["issuers"][0].update(service_url="http://two.example"),
    "address with user": lambda data: data["issuers"][0].update(service_url="https://a@b"),
    "address with query": lambda data: data["issuers"][0].update(service_url="https://b/?x"),
    "slash at the end": lambda data: data["issuers"][0].update(service_url="https://b/"),
    "file": lambda data: data["issuers"][0].update(status_list_url="file:///etc/passwd"),
    "no key list": lambda data: data["issuers"][0].update(keys=None),
    "key number": lambda data: data["issuers"][0]["keys"][0].update(number=256),
    "key purpose": lambda data: data["issuers"][0]["keys"][0].update(purpose="anything"),
    "key state": lambda data: data["issuers"][0]["keys"][0].update(state="trusted"),
    "key no point": lambda data: data["issuers"][0]["keys"][0].update(public_key="02" + "ff" * 32),
    "key number twice": lambda data: data["issuers"][0]["keys"][1].update(
        purpose="code_signing", number=1
    ),
    "point twice": lambda data: data["issuers"][0]["keys"][1].update(
        public_key=data["issuers"][0]["keys"][0]["public_key"]
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_signed_list_that_says_nonsense_is_refused(name: str) -> None:
    assert why(changed(CHANGES[name])) == "malformed"


def test_the_same_list_without_a_change_is_taken() -> None:
    assert trust.verify(changed(lambda _: None), [AUTHORITY]) == LIST


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"edition":1,"edition":1,"issued_at":"x","expires_at":"x","issuers":[]}',
        b" " * (512 * 1024 + 1),
    ],
    ids=["empty", "list", "null", "no utf-8", "deep", "name twice", "long"],
)
def test_rubbish_is_refused_inside_and_outside_the_envelope(content: bytes) -> None:
    assert why(content) == "malformed"
    assert why(signed_content(content)) == "malformed"


def test_more_keys_than_a_ring_holds_are_refused() -> None:
    one = key()
    point = one.public_key.to_bytes(compressed=True).hex()
    row = json.loads(trust.write_entry(entry(keys=(one,))))["keys"][0]
    points = [sm2.PrivateKey.generate().public_key() for _ in range(513)]
    rows = [
        {**row, "number": index % 256, "public_key": each.to_bytes(compressed=True).hex()}
        for index, each in enumerate(points)
    ]
    assert point not in {each["public_key"] for each in rows}
    halves = [rows[:256], rows[256:512], rows[512:]]

    def many(data: dict[str, Any]) -> None:
        data["issuers"] = [
            {**data["issuers"][1], "number": number, "keys": half}
            for number, half in enumerate(halves, 2)
        ]

    assert why(changed(many)) == "too_many_keys"


def test_nothing_is_signed_that_nobody_would_take() -> None:
    backwards = TrustList(1, NOW, NOW - timedelta(days=1), ())
    with pytest.raises(TrustListRefusedError):
        trust.sign(backwards, PROVINCE)
    with pytest.raises(TrustListRefusedError):
        trust.sign(trust_list(NOW, entry(service_url="http://two.example")), PROVINCE)


def test_an_entry_is_a_file_of_its_own() -> None:
    (one, _) = LIST.issuers
    assert trust.read_entry(trust.write_entry(one)) == one
    for rubbish in (b"", b"{}", DOCUMENT):
        with pytest.raises(TrustListRefusedError):
            trust.read_entry(rubbish)


@pytest.mark.parametrize(
    ("at", "state"),
    [(-1, KeyState.PENDING), (0, KeyState.ACTIVE), (10, KeyState.ACTIVE), (11, KeyState.REVOKED)],
)
def test_a_key_verifies_in_its_days_alone(at: int, state: KeyState) -> None:
    bounded = key(not_before=NOW, not_after=NOW + timedelta(days=10))
    now = NOW + timedelta(days=at)
    assert bounded.state_at(now) is state
    assert bounded.verifies_at(now) == (state is KeyState.ACTIVE)
    (found,) = trust_list(NOW, entry(keys=(bounded,))).code_keys(now)
    assert found == CodeKey(2, 1, bounded.public_key, state)
    revoked = TrustedKey(
        bounded.purpose, 1, bounded.public_key, KeyState.REVOKED, NOW, bounded.not_after
    )
    assert not revoked.verifies_at(now)


@pytest.mark.parametrize(
    "url", ["https://a.example", "https://a.example:8443/cards", "http://127.0.0.1:80"]
)
def test_addresses_that_may_be_asked(url: str) -> None:
    assert check_url(url) == url == check_url(f"{url}/")


@pytest.mark.parametrize("url", ["", "https://", "ftp://a", "https://a\n", "http://10.0.0.1"])
def test_addresses_that_may_not(url: str) -> None:
    with pytest.raises(ValueError, match="an address"):
        check_url(url)
