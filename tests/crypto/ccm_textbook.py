"""CCM over this project's SM4 block, as NIST SP 800-38C has it: for the vectors, not for use."""

from crypto import sm4

NONCE_SIZES = range(7, 14)
TAG_SIZES = range(4, 17, 2)


def decrypt(key: bytes, nonce: bytes, aad: bytes, text: bytes, tag: bytes) -> bytes | None:
    """The plaintext, or nothing. Raises ValueError for a nonce or a tag of another size."""
    if len(nonce) not in NONCE_SIZES or len(tag) not in TAG_SIZES:
        raise ValueError("CCM has nonces of 7 to 13 bytes and tags of 4, 6, ... 16")
    plaintext = _mask(key, nonce, text)
    return plaintext if _tag(key, nonce, aad, plaintext, len(tag)) == tag else None


def encrypt(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, tag_size: int) -> bytes:
    """Ciphertext and tag."""
    return _mask(key, nonce, plaintext) + _tag(key, nonce, aad, plaintext, tag_size)


def _mask(key: bytes, nonce: bytes, data: bytes) -> bytes:
    blocks = range(1, -(-len(data) // 16) + 1)
    stream = b"".join(_counter(key, nonce, block) for block in blocks)
    return _xor(stream, data)


def _counter(key: bytes, nonce: bytes, block: int) -> bytes:
    size = 15 - len(nonce)
    return sm4.encrypt_block(key, bytes([size - 1]) + nonce + block.to_bytes(size, "big"))


def _tag(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes, tag_size: int) -> bytes:
    size = 15 - len(nonce)
    flags = 64 * bool(aad) + 8 * (tag_size // 2 - 1) + size - 1
    blocks = bytes([flags]) + nonce + len(plaintext).to_bytes(size, "big")
    if aad:
        # The short form of the length, for less than 65280 bytes.
        blocks += _padded(len(aad).to_bytes(2, "big") + aad)
    blocks += _padded(plaintext)
    mac = bytes(16)
    for at in range(0, len(blocks), 16):
        mac = sm4.encrypt_block(key, _xor(mac, blocks[at : at + 16]))
    return _xor(mac, _counter(key, nonce, 0))[:tag_size]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def _xor(a: bytes, b: bytes) -> bytes:
    """As long as the second one."""
    return bytes(x ^ y for x, y in zip(a, b, strict=False))
