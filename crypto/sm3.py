"""SM3 (GB/T 32905): digests of 32 bytes; HMAC, key derivation and Merkle trees over it."""

from crypto._native import Hash
from crypto._native import sm3_digest as digest
from crypto._native import sm3_hmac as hmac
from crypto._native import sm3_hmac_verify as hmac_verify
from crypto._native import sm3_kdf as kdf
from crypto._native import sm3_tree as tree
from crypto.errors import InvalidMacError

__all__ = ["Hash", "InvalidMacError", "digest", "hmac", "hmac_verify", "kdf", "tree"]
