"""Every published value of tests/vectors/sm_official.json, through the public face.

The values with a k of their own (z, e, k, r, s and the ciphertext) are reproduced step by step by
the tests of the native crate, the only place where a nonce can be given. Here they are verified
and decrypted.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from crypto import sm2, sm3, sm4

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sm_official.json").read_text()
)
SIGN, ENCRYPT = VECTORS["sm2_sign"], VECTORS["sm2_encrypt"]
PRIVATE = sm2.PrivateKey.from_bytes(bytes.fromhex(SIGN["d"]))
RAW = bytes.fromhex(SIGN["r"] + SIGN["s"])


def test_no_section_of_the_file_is_left_out() -> None:
    tested = {"sm2_sign", "sm2_encrypt", "sm3", "sm4", "sm4_diversification"}
    assert set(VECTORS) == tested | {"note", "curve"}


def test_public_key_of_the_private_key() -> None:
    point = bytes.fromhex("04" + SIGN["px"] + SIGN["py"])
    assert PRIVATE.public_key().to_bytes() == point
    assert sm2.PublicKey.from_bytes(point) == PRIVATE.public_key()


def test_generator_is_the_public_key_of_1() -> None:
    curve = VECTORS["curve"]
    one = sm2.PrivateKey.from_bytes((1).to_bytes(32, "big"))
    assert one.public_key().to_bytes().hex().upper() == "04" + curve["gx"] + curve["gy"]


def test_signature() -> None:
    message, signer_id = SIGN["message_ascii"].encode(), SIGN["id_ascii"].encode()
    public = PRIVATE.public_key()
    public.verify(RAW, message, signer_id)
    public.verify(RAW, message)
    sm2.Verifier(public).verify(RAW, message, signer_id)
    assert signer_id == sm2.DEFAULT_SIGNER_ID
    der = bytes.fromhex("3046022100" + SIGN["r"] + "022100" + SIGN["s"])
    assert sm2.signature_to_der(RAW) == der
    assert sm2.signature_from_der(der) == RAW


def test_z_and_e() -> None:
    curve = VECTORS["curve"]
    a = int(curve["p"], 16) - 3
    parts = [f"{a:064x}", curve["b"], curve["gx"], curve["gy"], SIGN["px"], SIGN["py"]]
    z = sm3.digest(b"\x00\x80" + SIGN["id_ascii"].encode() + bytes.fromhex("".join(parts)))
    assert z.hex().upper() == SIGN["z"]
    assert sm3.digest(z + SIGN["message_ascii"].encode()).hex().upper() == SIGN["e"]


def test_nonce_comes_out_of_the_signature() -> None:
    n, d = int(VECTORS["curve"]["n"], 16), int(SIGN["d"], 16)
    r, s = int(SIGN["r"], 16), int(SIGN["s"], 16)
    assert (s * (1 + d) + r * d) % n == int(SIGN["k"], 16)


def test_ciphertext() -> None:
    x, y, c3, c2 = (ENCRYPT[name] for name in ("c1x", "c1y", "c3", "c2"))
    raw = bytes.fromhex("04" + x + y + c3 + c2)
    assert PRIVATE.decrypt(raw) == ENCRYPT["message_ascii"].encode()
    der = bytes.fromhex("307C0220" + x + "022100" + y + "0420" + c3 + "0413" + c2)
    assert sm2.ciphertext_to_der(raw) == der
    assert sm2.ciphertext_from_der(der) == raw


@pytest.mark.parametrize("vector", VECTORS["sm3"], ids=lambda vector: vector["message_ascii"][:8])
def test_digest(vector: dict[str, str]) -> None:
    message = vector["message_ascii"].encode()
    assert sm3.digest(message).hex().upper() == vector["digest"]
    pieces = sm3.Hash()
    for byte in message:
        pieces.update(bytes([byte]))
    assert pieces.digest().hex().upper() == vector["digest"]


@pytest.mark.parametrize(
    "vector", VECTORS["sm4"], ids=lambda v: str(v.get("rounds", v.get("mode")))
)
def test_blocks_the_millionth_round_included(vector: dict[str, Any]) -> None:
    key, plaintext = bytes.fromhex(vector["key"]), bytes.fromhex(vector["plaintext"])
    ciphertext = b""
    for start in range(0, len(plaintext), 16):
        block = plaintext[start : start + 16]
        for _ in range(vector.get("rounds", 1)):
            block = sm4.encrypt_block(key, block)
        ciphertext += block
    assert ciphertext.hex().upper() == vector["ciphertext"]
    if vector.get("rounds", 1) == 1:
        assert sm4.decrypt_block(key, ciphertext[:16]) == plaintext[:16]
        assert sm4.Cipher(key).encrypt_block(plaintext[:16]) == ciphertext[:16]
        assert sm4.Cipher(key).decrypt_block(ciphertext[:16]) == plaintext[:16]


def test_diversified_key_and_its_mac() -> None:
    vector = {
        name: bytes.fromhex(v)
        for name, v in VECTORS["sm4_diversification"].items()
        if name != "note"
    }
    subkey = sm4.diversify(vector["master"], vector["factor"])
    assert subkey == vector["subkey"]
    mac = sm4.cbc_mac(subkey, vector["mac_random"] + bytes(8), vector["mac_data"])
    assert mac[:4] == vector["mac"]
