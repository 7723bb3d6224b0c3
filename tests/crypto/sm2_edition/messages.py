"""Messages, keys and signer ids that belong to a signature, and that don't."""

from collections.abc import Iterator
from dataclasses import replace

from sm2_textbook import CURVE, DEFAULT_SIGNER_ID, P, encode, sign, sm3

from sm2_edition.cases import CALLERS_MISTAKE, INVALID, VALID
from sm2_edition.claims import Claim, Draws, Key, signed

FLAGS = {
    "Plain": "messages of any length",
    "WrongMessage": "the signature of another message",
    "WrongKey": "the signature of another key",
    "SignerId": "signer ids of 0 to 8191 bytes",
    "WrongSignerId": "the signature was made under another signer id",
    "SignerIdTooLong": "a signer id of over 8191 bytes, whose bits 16 bits can't count",
}


def claims() -> Iterator[Claim]:
    yield from _messages()
    yield from _signer_ids()


def _messages() -> Iterator[Claim]:
    draws = Draws("messages")
    for size in (0, 1, 20, 23, 24, 31, 32, 55, 56, 63, 64, 65, 119, 120, 128, 255, 256, 300):
        key = Key.of(draws.scalar())
        message = draws.data(size)
        good = signed("Plain", f"{size} bytes", key, draws.scalar(), VALID, message=message)
        yield good
        spoilt = [("a byte more", message + b"\x00")]
        if message:
            spoilt += [("a byte less", message[:-1]), ("a bit", _flipped(message, draws))]
        for text, other in spoilt[:: -1 if size % 2 else 1][:2]:
            comment = f"{size} bytes, {text}"
            bad = replace(good, flag="WrongMessage", comment=comment, result=INVALID)
            yield replace(bad, message=other)
        if size in (0, 32, 64, 256):
            for text, other_key in (
                ("another key", Key.of(draws.scalar()).public),
                ("the key negated", b"\x04" + encode((key.point[0], P - key.point[1]))),
            ):
                bad = replace(good, flag="WrongKey", comment=text, result=INVALID)
                yield replace(bad, public_key=other_key)


def _flipped(message: bytes, draws: Draws) -> bytes:
    bit = draws.below(8 * len(message))
    value = int.from_bytes(message, "big") ^ 1 << bit
    return value.to_bytes(len(message), "big")


def _signer_ids() -> Iterator[Claim]:
    draws = Draws("signer ids")
    key, message = Key.of(draws.scalar()), b"signed under an id"
    for text, signer_id in (
        ("empty", b""),
        ("a zero byte", b"\x00"),
        ("the default", DEFAULT_SIGNER_ID),
        ("the default but for its last bit", b"1234567812345679"),
        ("the draft's example", b"ALICE123@YAHOO.COM"),
        ("Chinese", "社保卡".encode()),
        ("255 bytes", draws.data(255)),
        ("256 bytes", draws.data(256)),
        ("8190 bytes", b"i" * 8190),
        ("8191 bytes", b"i" * 8191),
    ):
        signing = {"message": message, "signer_id": signer_id}
        good = signed("SignerId", text, key, draws.scalar(), VALID, **signing)
        yield good
        others = [b"x"]
        if len(signer_id) < 8000:
            others += [signer_id + b"\x00", signer_id[:-1] if signer_id else bytes(16)]
            others += [signer_id[:-1] + bytes([byte ^ 1]) for byte in signer_id[-1:]]
        for other in others:
            comment = f"made under {text}, shown under {other[-20:].hex()}"
            bad = replace(good, flag="WrongSignerId", comment=comment, result=INVALID)
            yield replace(bad, signer_id=other)
    yield from _too_long(key, draws, message)


def _too_long(key: Key, draws: Draws, message: bytes) -> Iterator[Claim]:
    """Signed with an ENTL that has wrapped, as code does that never looks at the length."""
    for size in (8192, 8193, 8200, 16_384, 65_536, 70_000):
        signer_id = b"i" * size
        entl = (8 * size % 65_536).to_bytes(2, "big")
        z = sm3(entl + signer_id + CURVE + key.public[1:])
        k = draws.scalar()
        r, s = sign(key.d, int.from_bytes(sm3(z + message), "big"), k)
        flag, comment = "SignerIdTooLong", f"{size} bytes, signed with ENTL wrapped"
        made, result = {"d": key.d, "k": k}, CALLERS_MISTAKE
        yield Claim(flag, comment, made, key.public, r, s, result, message, signer_id)
