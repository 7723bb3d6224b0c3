"""OpenSSL's own SM2, called in the system's libcrypto: a yardstick here, an oracle in the tests.

`cryptography` does not offer SM2, so the C interface is called through ctypes. Keys go in as the
DER that other programs write (PKCS #8 and SubjectPublicKeyInfo with the curve's OID), which
spares this file OpenSSL's parameter structures. Signatures and ciphertexts are DER.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p

_LIBRARY_NAME = "libcrypto.so.3"
_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_PRIVATE_PREFIX = bytes.fromhex(
    "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420"
)
_PRIVATE_MIDDLE = bytes.fromhex("a144034200")

_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "OpenSSL_version": (c_char_p, [c_int]),
    "d2i_AutoPrivateKey": (c_void_p, [c_void_p, c_void_p, ctypes.c_long]),
    "d2i_PUBKEY": (c_void_p, [c_void_p, c_void_p, ctypes.c_long]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_new": (c_void_p, [c_void_p, c_void_p]),
    "EVP_PKEY_CTX_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_set1_id": (c_int, [c_void_p, c_char_p, c_int]),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_MD_CTX_set_pkey_ctx": (None, [c_void_p, c_void_p]),
    "EVP_sm3": (c_void_p, []),
    "EVP_DigestSignInit": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EVP_DigestSign": (c_int, [c_void_p, c_char_p, c_void_p, c_char_p, c_size_t]),
    "EVP_DigestVerifyInit": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "EVP_PKEY_verify_init": (c_int, [c_void_p]),
    "EVP_PKEY_verify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "EVP_PKEY_encrypt_init": (c_int, [c_void_p]),
    "EVP_PKEY_encrypt": (c_int, [c_void_p, c_char_p, c_void_p, c_char_p, c_size_t]),
    "EVP_PKEY_decrypt_init": (c_int, [c_void_p]),
    "EVP_PKEY_decrypt": (c_int, [c_void_p, c_char_p, c_void_p, c_char_p, c_size_t]),
    "ERR_clear_error": (None, []),
}


class LibcryptoError(Exception):
    """OpenSSL refused."""


def load() -> ctypes.CDLL:
    """Open the library. Raises OSError where the system has none."""
    library = ctypes.CDLL(_LIBRARY_NAME)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def _public_key_info(point: bytes) -> bytes:
    """SubjectPublicKeyInfo of a point of at most 100 bytes."""
    content = _ALGORITHM + bytes([3, len(point) + 1, 0]) + point
    return bytes([0x30, len(content)]) + content


class Key:
    """An SM2 key held by OpenSSL, private or public."""

    def __init__(
        self, library: ctypes.CDLL, *, public: bytes, private: bytes | None = None
    ) -> None:
        """public: a point by SEC 1, 04, x and y with a private key. private: 32 bytes.

        Raises LibcryptoError for what OpenSSL does not read.
        """
        self._library = library
        if private is None:
            der, parse = _public_key_info(public), library.d2i_PUBKEY
        else:
            der = _PRIVATE_PREFIX + private + _PRIVATE_MIDDLE + public
            parse = library.d2i_AutoPrivateKey
        start = c_char_p(der)
        self._key = parse(None, byref(start), len(der))
        if not self._key:
            library.ERR_clear_error()
            raise LibcryptoError

    def __del__(self) -> None:
        self._library.EVP_PKEY_free(self._key)

    def sign(self, message: bytes, signer_id: bytes) -> bytes:
        """Return the DER signature."""
        library = self._library
        with self._digest_context(signer_id) as context:
            self._check(
                library.EVP_DigestSignInit(context, None, library.EVP_sm3(), None, self._key)
            )
            output, size = ctypes.create_string_buffer(80), c_size_t(80)
            self._check(library.EVP_DigestSign(context, output, byref(size), message, len(message)))
            return output.raw[: size.value]

    def verify(self, signature: bytes, message: bytes, signer_id: bytes) -> bool:
        """Whether OpenSSL accepts a DER signature."""
        library = self._library
        with self._digest_context(signer_id) as context:
            self._check(
                library.EVP_DigestVerifyInit(context, None, library.EVP_sm3(), None, self._key)
            )
            result: int = library.EVP_DigestVerify(
                context, signature, len(signature), message, len(message)
            )
            library.ERR_clear_error()
            return result == 1

    def verify_digest(self, signature: bytes, digest: bytes) -> bool:
        """Whether OpenSSL accepts a DER signature of e itself, 32 bytes."""
        library = self._library
        context = library.EVP_PKEY_CTX_new(self._key, None)
        try:
            self._check(library.EVP_PKEY_verify_init(context))
            result: int = library.EVP_PKEY_verify(
                context, signature, len(signature), digest, len(digest)
            )
            library.ERR_clear_error()
            return result == 1
        finally:
            library.EVP_PKEY_CTX_free(context)

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return the DER ciphertext."""
        return self._transform("encrypt", plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of a DER ciphertext. Raises LibcryptoError."""
        return self._transform("decrypt", ciphertext)

    def _transform(self, name: str, data: bytes) -> bytes:
        library = self._library
        context = library.EVP_PKEY_CTX_new(self._key, None)
        try:
            self._check(getattr(library, f"EVP_PKEY_{name}_init")(context))
            transform = getattr(library, f"EVP_PKEY_{name}")
            output = ctypes.create_string_buffer(len(data) + 256)
            size = c_size_t(len(output))
            self._check(transform(context, output, byref(size), data, len(data)))
            return output.raw[: size.value]
        finally:
            library.EVP_PKEY_CTX_free(context)

    @contextmanager
    def _digest_context(self, signer_id: bytes) -> Iterator[int]:
        library = self._library
        key_context = library.EVP_PKEY_CTX_new(self._key, None)
        context = library.EVP_MD_CTX_new()
        try:
            self._check(library.EVP_PKEY_CTX_set1_id(key_context, signer_id, len(signer_id)))
            library.EVP_MD_CTX_set_pkey_ctx(context, key_context)
            yield context
        finally:
            library.EVP_MD_CTX_free(context)
            library.EVP_PKEY_CTX_free(key_context)

    def _check(self, result: int) -> None:
        if result != 1:
            self._library.ERR_clear_error()
            raise LibcryptoError
