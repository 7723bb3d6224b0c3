"""`sscard issuer`: from an entry to a signed list to an import by two people."""

import json
import re
from datetime import timedelta
from pathlib import Path

from office import Office, refused

from card_core import trust
from card_core.codes import KeyPurpose, KeyState, key_name
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.peer_lists import TakePeerList
from card_core.kernel.days import end_of_day
from card_core.status_list import ListHead, StatusList, assemble_list
from card_core.trust import TrustedIssuer, TrustedKey, TrustList
from crypto import sm2, sm3
from issuance.installation import Installation, utc_now

# A point on the curve whose private half is no secret: the key 1.
GENERATOR = "0232c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"


def authority_key(site: Installation) -> str:
    name = key_name(KeyPurpose.TRUST_LIST, site.facts.issuer, 1)
    return site.keys.signer(name).public_key.to_bytes(compressed=True).hex()


def neighbours_entry(office: Office, out: Path) -> None:
    """The office's own entry, as if another issuer with other keys had written it."""
    office.done(
        "issuer", "entry", "--out", str(out), "--service-url", "https://a.b/", operator="admin"
    )
    data = json.loads(out.read_text())
    assert (data["number"], data["service_url"]) == (7, "https://a.b")
    assert {key["purpose"] for key in data["keys"]} == set(KeyPurpose) - {
        "trust_list",
        "card_issuing",
    }
    out.write_text(json.dumps({**data, "number": 8, "name": "邻市", "keys": []}))


def test_a_list_is_made_imported_shown_and_exported(office: Office, site: Installation) -> None:
    entry, signed, copy = (office.folder / name for name in ("entry", "list", "copy"))
    neighbours_entry(office, entry)
    make = ("issuer", "trust", "make", str(entry), "--out", str(signed), "--edition")
    said = office.done(*make, "1", operator="admin")
    assert authority_key(site) in said
    both = ("--with", "li", "--yes")
    office.done("issuer", "trust", "import", str(signed), *both, operator="admin")
    listed = office.done("issuer", "trust", "list", operator="admin")
    assert "Edition" in listed
    assert "This bureau".lower() in listed.lower()
    office.done("issuer", "trust", "export", "--out", str(copy), operator="admin")
    assert copy.read_bytes() == signed.read_bytes()
    refused(
        office.run("issuer", "trust", "import", str(signed), *both, operator="admin"),
        "不能倒退",
        "no way back",
    )
    office.done("issuer", "trust", "pin", GENERATOR, *both, operator="admin")
    office.done(*make, "2", operator="admin")
    refused(
        office.run("issuer", "trust", "import", str(signed), *both, operator="admin"),
        "不是由本安装认可的上级机构签发",
        "not signed by the authority",
    )


def test_files_that_are_no_lists_are_refused(office: Office) -> None:
    for name, content, zh, en in (
        ("rubbish", b"rubbish", "格式不正确", "can't be read"),
        ("long", bytes(trust.DOCUMENT_BYTES_MAX + 1), "过大", "too long"),
    ):
        path = office.file(name, content)
        refused(office.run("issuer", "trust", "import", str(path), operator="admin"), zh, en)
    nowhere = str(office.folder / "nowhere")
    refused(
        office.run("issuer", "trust", "import", nowhere, operator="admin"),
        "无法读取",
        "can't be read",
    )
    refused(
        office.run("issuer", "trust", "export", "--out", nowhere, operator="admin"),
        "尚未导入",
        "No trust list",
    )
    refused(
        office.run("issuer", "trust", "pin", "xyz", operator="admin"), "十六进制", "hexadecimal"
    )


def test_an_address_in_clear_is_nobodys(office: Office) -> None:
    out = str(office.folder / "entry")
    for url in ("http://cards.example", "cards.example"):
        refused(
            office.run("issuer", "entry", "--out", out, "--service-url", url, operator="admin"),
            "https://",
            "https://",
        )


def test_the_lists_of_other_issuers_are_shown_with_their_age(
    office: Office, site: Installation
) -> None:
    assert not re.search(r"[0-9]{4}-[0-9]{2}", office.done("issuer", "lists", operator="admin"))
    now, key = utc_now().replace(microsecond=0), sm2.PrivateKey.generate()
    status_key = TrustedKey(KeyPurpose.STATUS, 1, key.public_key(), KeyState.ACTIVE)
    entries = (
        TrustedIssuer(8, "邻市", None, "https://a.b", (status_key,)),
        TrustedIssuer(9, "远市", None, "https://c.d", ()),
        TrustedIssuer(10, "无址", None, None, ()),
    )
    own = site.keys.signer(key_name(KeyPurpose.TRUST_LIST, site.facts.issuer, 1))
    signed = trust.sign(TrustList(1, now, now + timedelta(days=1), entries), own)
    path = office.file("list", signed)
    both = ("--with", "li", "--yes")
    office.done("issuer", "trust", "import", str(path), *both, operator="admin")
    body = StatusList(16, []).encode()
    # Issued before now: it is stale already.
    head = ListHead(
        8, 1, end_of_day(now), 3, now - timedelta(seconds=60), 30, 86_400, 16, sm3.digest(body)
    )
    data = assemble_list(head, key.sign(head.to_be_signed()), body)
    act = TakePeerList(8, end_of_day(now), data)
    site.kernel.perform(act, actor=Actor(ActorKind.SYSTEM, "test"), request_id="one")
    shown = office.done("issuer", "lists", operator="admin")
    (taken,) = (line for line in shown.splitlines() if "stale" in line)
    assert "邻市" in taken
    assert re.search(r"\b3\b", taken)
    assert any("远市" in line and "not here" in line for line in shown.splitlines())
    assert any("无址" in line and "no address" in line for line in shown.splitlines())
