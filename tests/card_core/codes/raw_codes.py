"""Codes laid out by hand, so that tests can make what `card_core.codes` refuses to make.

It shares nothing with the native core but the SM2 signature. All keys are test keys, made of their
own names: everybody knows them.
"""

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime

import gmssl_pyx

from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.verdicts import Reason
from crypto import sm2, sm3, sm4

NOW = 1_800_000_000  # 2027-01-15 16:00 in Shanghai
DAY_END = 1_800_028_800  # midnight there
TERMINAL = bytes.fromhex("a1b2c3d4e5f60718")
OTHER_TERMINAL = bytes.fromhex("a1b2c3d4e5f60719")
ALL_PURPOSES = 0x01FF
SIGNER_ID = b"1234567812345678"

# The curve of GB/T 32918.5-2017.
P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = P - 3
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
GX = 0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7
GY = 0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0

ONLINE_CONTEXT = b"sscard/online-code/v1\n"
CREDENTIAL_CONTEXT = b"sscard/device-credential/v1\n"
OFFLINE_CONTEXT = b"sscard/offline-code/v1\n"

BOX_KEY = sm3.digest(b"sscard vectors box key")[:16]
ECARD_ID = 0x0123456789ABCDEF
NONCE = bytes.fromhex("0f1e2d3c4b5a6978")
BOX = sm4.encrypt_block(BOX_KEY, ECARD_ID.to_bytes(8, "big") + NONCE)

# In the order of the checks; what comes behind them needs a store.
_REASONS = list(Reason)
CODE_REASONS = frozenset(
    _REASONS[_REASONS.index(Reason.MALFORMED) : _REASONS.index(Reason.AMOUNT_MISMATCH) + 1]
)

RING = [
    # purpose, issuer, number, state
    ("code_signing", 1, 1, "active"),
    ("code_signing", 1, 2, "verify_only"),
    ("code_signing", 1, 3, "pending"),
    ("code_signing", 1, 4, "revoked"),
    ("code_signing", 1, 8, "active"),
    ("code_signing", 440, 1, "active"),
    ("code_signing", 65535, 255, "active"),
    ("device_credential", 1, 1, "active"),
    ("device_credential", 1, 2, "verify_only"),
    ("device_credential", 1, 3, "pending"),
    ("device_credential", 1, 4, "revoked"),
    ("device_credential", 1, 7, "active"),
    ("device_credential", 440, 1, "active"),
]


def private_key(name: str) -> sm2.PrivateKey:
    """A test key, the digest of its name."""
    digest: bytes = sm3.digest(b"sscard vectors " + name.encode())
    return sm2.PrivateKey.from_bytes(digest)


def key_name(purpose: str, issuer: int, number: int) -> str:
    return f"{purpose}.{issuer}.{number}"


def code_keys() -> list[CodeKey]:
    return [
        CodeKey(
            issuer,
            number,
            private_key(key_name(purpose, issuer, number)).public_key(),
            KeyState(state),
            KeyPurpose(purpose),
        )
        for purpose, issuer, number, state in RING
    ]


def device_key(name: str) -> bytes:
    return private_key(name).public_key().to_bytes(compressed=True)


def device_with_head(head: int) -> str:
    """The first test device whose compressed key begins with this byte (2 or 3)."""
    return next(f"device.{n}" for n in range(99) if device_key(f"device.{n}")[0] == head)


def sign(name: str, message: bytes, signer_id: bytes = SIGNER_ID) -> bytes:
    return private_key(name).sign(message, signer_id)


def z_of(point: bytes) -> bytes:
    """Z of GB/T 32918.2-2016, section 5.5. point: x and y, 64 bytes."""
    curve = b"".join(value.to_bytes(32, "big") for value in (A, B, GX, GY))
    return sm3.digest(b"\x00\x80" + SIGNER_ID + curve + point)


def hash_to_sign(name: str, message: bytes) -> int:
    """The number e that a signature of this key over the message is made of."""
    z = z_of(private_key(name).public_key().to_bytes()[1:])
    return int.from_bytes(sm3.digest(z + message), "big")


def sign_to_infinity(name: str, message: bytes) -> bytes:
    """r = e and s = -td with t = e/(1 + d), so that r + s = t and [s]G + [t]P is no point.

    Who takes the x of no point for 0 finds e + 0 = r, and accepts.
    """
    d = int.from_bytes(private_key(name).to_bytes(), "big")
    e = hash_to_sign(name, message) % N
    t = e * pow(1 + d, -1, N) % N
    return e.to_bytes(32, "big") + (-t * d % N).to_bytes(32, "big")


def sign_with_zero_at(position: int, name: str, message: bytes) -> bytes:
    """A genuine signature whose byte at this position is zero: one in 256 is such."""
    while True:
        signature = sign(name, message)
        if signature[position] == 0:
            return signature


def sign_without_z(name: str, message: bytes) -> bytes:
    """What a signer does that takes SM3(message) for e and leaves Z out."""
    key = private_key(name)
    point = key.public_key().to_bytes()[1:]
    return sm2.signature_from_der(gmssl_pyx.sm2_sign(key.to_bytes(), point, message, None))


def text_of(data: bytes, digits: int) -> str:
    return "7406" + str(int.from_bytes(data, "big")).zfill(digits)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class RawOnline:
    """An online code; every field may hold any value of its size."""

    version_kind: int = 0x11
    issuer: int = 1
    key_number: int = 1
    minted_at: int = NOW
    purpose_class: int = 1
    purposes: int = ALL_PURPOSES
    flags: int = 0b0100
    terminal: bytes = bytes(8)
    amount_fen: int = 0
    box: bytes = BOX

    def body(self) -> bytes:
        head = struct.pack(
            ">BHBIBHB",
            *(self.version_kind, self.issuer, self.key_number, self.minted_at),
            *(self.purpose_class, self.purposes, self.flags),
        )
        return head + self.terminal + self.amount_fen.to_bytes(3, "big") + self.box

    def message(self) -> bytes:
        return ONLINE_CONTEXT + self.body()

    def signed(self, signature: bytes | None = None) -> bytes:
        """The 103 bytes, signed by the key that they name unless told otherwise."""
        name = key_name("code_signing", self.issuer, self.key_number)
        return self.body() + (sign(name, self.message()) if signature is None else signature)

    def text(self, signature: bytes | None = None) -> str:
        return text_of(self.signed(signature), 249)


@dataclass(frozen=True)
class RawCredential:
    """A device credential; every field may hold any value of its size."""

    version_kind: int = 0x12
    issuer: int = 1
    key_number: int = 1
    expires_at: int = DAY_END
    purpose_class: int = 2
    purposes: int = ALL_PURPOSES
    flags: int = 0b0100
    status_index: int = 314_159
    device_key: bytes = field(default_factory=lambda: device_key("device.a"))

    def body(self) -> bytes:
        head = struct.pack(
            ">BHBIBHBI",
            *(self.version_kind, self.issuer, self.key_number, self.expires_at),
            *(self.purpose_class, self.purposes, self.flags, self.status_index),
        )
        return head + self.device_key

    def message(self) -> bytes:
        return CREDENTIAL_CONTEXT + self.body()

    def signed(self, signature: bytes | None = None) -> bytes:
        """The 113 bytes, signed by the key that they name unless told otherwise."""
        name = key_name("device_credential", self.issuer, self.key_number)
        return self.body() + (sign(name, self.message()) if signature is None else signature)


@dataclass(frozen=True)
class RawOffline:
    """An offline code; every field may hold any value of its size."""

    credential: RawCredential = field(default_factory=RawCredential)
    minted_at: int = NOW
    purpose_class: int = 2
    purposes: int = ALL_PURPOSES
    nonce: bytes = bytes.fromhex("0123456789abcdef")
    terminal: bytes = bytes(8)
    amount_fen: int = 0
    credential_signature: bytes | None = None

    def body(self) -> bytes:
        own = struct.pack(">IBH", self.minted_at, self.purpose_class, self.purposes)
        own += self.nonce + self.terminal + self.amount_fen.to_bytes(3, "big")
        return self.credential.signed(self.credential_signature) + own

    def signed(self, signature: bytes | None = None, *, device: str = "device.a") -> bytes:
        """The 203 bytes, signed by the device unless told otherwise."""
        body = self.body()
        return body + (sign(device, OFFLINE_CONTEXT + body) if signature is None else signature)

    def text(self, signature: bytes | None = None, *, device: str = "device.a") -> str:
        return text_of(self.signed(signature, device=device), 489)
