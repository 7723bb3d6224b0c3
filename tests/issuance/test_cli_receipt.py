"""`sscard receipt`: keys go out, receipts are verified with them and with nothing else."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from office import Office, refused

from card_core import receipts
from card_core.codes import ForWhom, Presence
from card_core.presented import Medium
from card_core.receipts import NO_SCAN, ReceiptContent, ReceiptKind
from issuance.installation import Installation

SALT = bytes(range(16))


def content(**more: object) -> ReceiptContent:
    made = ReceiptContent(
        kind=ReceiptKind.SCAN,
        issuer=7,
        key_number=1,
        at=datetime.now(UTC),
        scan_id="ab" * 16,
        original_scan_id=NO_SCAN,
        business_type="02121",
        amount_fen=4580,
        medium=Medium.ONLINE_CODE,
        presence=Presence.PLAIN,
        for_whom=ForWhom.SELF,
        pseudonym=bytes(16),
        clerk=receipts.commit_to_clerk("0042", "till 3", SALT),
        terminal=bytes.fromhex("00000000000000a1"),
        institution_code="P44060400002",
        audit_chain="scan",
        audit_seq=3,
        audit_link=b"\1" * 32,
    )
    return made._replace(**more)


def text_of(site: Installation, **more: object) -> str:
    (made,) = receipts.make_receipts([content(**more)], site.keys.signer("receipt.7.1"))
    return receipts.to_text(made)


@pytest.fixture
def key_file(office: Office) -> Path:
    path = office.folder / "receipt-keys.json"
    office.done("receipt", "keys", "--out", str(path))
    return path


def test_a_receipt_is_verified_with_the_exported_keys_and_no_installation(
    office: Office, site: Installation, key_file: Path, tmp_path: Path
) -> None:
    elsewhere = Office(tmp_path, {"SSCARD_HOME": str(tmp_path / "nothing")})
    file = office.file("receipt", text_of(site) + "\n")
    shown = elsewhere.done("receipt", "verify", str(file), "--keys", str(key_file))
    for fact in ("凭据有效", "is valid", "P44060400002", "45.80 元 yuan", "药店购药", "ab" * 16):
        assert fact in shown
    found = json.loads(
        elsewhere.done("receipt", "verify", str(file), "--keys", str(key_file), "--json")
    )
    assert found["amount_fen"] == 4580
    assert (found["kind"], found["medium"], found["presence"]) == ("scan", "online_code", "plain")
    assert found["audit_link"] == "01" * 32


def test_without_a_key_file_the_homes_own_keys_verify(office: Office, site: Installation) -> None:
    answer = json.dumps({"scan_id": "x", "receipt": text_of(site)})
    file = office.file("answer.json", answer)
    assert "is valid" in office.done("receipt", "verify", str(file))


def test_a_reversal_names_its_scan(office: Office, site: Installation) -> None:
    text = text_of(site, kind=ReceiptKind.REFUND, original_scan_id="cd" * 16)
    shown = office.done("receipt", "verify", str(office.file("refund", text)))
    assert "退费 refund" in shown
    assert "cd" * 16 in shown


def test_what_is_not_valid_is_refused_in_both_languages(
    office: Office, site: Installation, key_file: Path
) -> None:
    text = text_of(site)
    strange = text_of(site, key_number=2)
    changed = ("B" if text[20] != "B" else "C").join((text[:20], text[21:]))
    bad = [changed, strange, text[:-1], text + "A", "", "{", '{"receipt": 7}', "[" * 70_000]
    for case in bad:
        file = office.file("bad", case)
        result = office.run("receipt", "verify", str(file), "--keys", str(key_file))
        refused(result, "凭据无效", "receipt is not valid")


def test_the_clerks_words_are_checked_against_the_commitment(
    office: Office, site: Installation
) -> None:
    file = str(office.file("receipt", text_of(site)))
    right = ("--clerk", "0042", "--department", "till 3", "--salt", SALT.hex())
    assert "those of the receipt" in office.done("receipt", "verify", file, *right)
    for wrong in (
        ("--clerk", "0043", "--department", "till 3", "--salt", SALT.hex()),
        ("--clerk", "0042", "--department", "till 3", "--salt", bytes(16).hex()),
        ("--clerk", "0042", "--department", "till 3", "--salt", "no hex"),
        ("--clerk", "0042", "--department", "till 3"),
    ):
        refused(office.run("receipt", "verify", file, *wrong), "不符", "not those of the receipt")


def test_a_key_file_that_was_tampered_with_is_refused_whole(
    office: Office, site: Installation, key_file: Path
) -> None:
    file = office.file("receipt", text_of(site))
    good = json.loads(key_file.read_text())
    (key,) = good["keys"]
    wrong = [
        {**good, "format": "sscard/receipt-keys/v2"},
        {**good, "more": 1},
        {**good, "keys": []},
        {**good, "keys": [key, key]},
        {**good, "keys": [{**key, "state": "trusted"}]},
        {**good, "keys": [{**key, "issuer": True}]},
        {**good, "keys": [{**key, "public_key": "02" + "ff" * 32}]},
        {**good, "keys": [{**key, "active_from": "2026-01-01T00:00:00"}]},
        {**good, "keys": [{**key, "note": ""}]},
        {**good, "keys": [{name: key[name] for name in key if name != "state"}]},
        [good],
    ]
    for case in wrong:
        path = office.file("wrong.json", json.dumps(case))
        result = office.run("receipt", "verify", str(file), "--keys", str(path))
        refused(result, "公钥文件", "no usable file of receipt keys")


def test_a_revoked_key_in_the_file_verifies_nothing(
    office: Office, site: Installation, key_file: Path
) -> None:
    file = office.file("receipt", text_of(site))
    good = json.loads(key_file.read_text())
    for state, verifies in (("verify_only", True), ("revoked", False), ("pending", False)):
        good["keys"][0]["state"] = state
        path = office.file("keys.json", json.dumps(good))
        result = office.run("receipt", "verify", str(file), "--keys", str(path))
        assert (result.exit_code == 0) == verifies


def test_the_fingerprint_is_the_files_digest_and_the_keys_are_public(
    office: Office, key_file: Path
) -> None:
    result = office.run("receipt", "keys")
    assert result.stdout == key_file.read_text()
    keys = receipts.read_key_file(key_file.read_bytes())
    assert receipts.write_key_file(keys) == key_file.read_bytes()
    assert receipts.fingerprint(keys) in result.stderr
    assert key_file.stat().st_mode & 0o777 == 0o644


def test_missing_files_are_named(office: Office, site: Installation) -> None:
    refused(office.run("receipt", "verify", "nowhere"), "找不到", "was not found")
    file = office.file("receipt", text_of(site))
    result = office.run("receipt", "verify", str(file), "--keys", "nowhere.json")
    refused(result, "找不到", "was not found")
