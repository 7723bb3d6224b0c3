"""What protects data at rest: sealed fields, blind indexes, keyed digests, HMACs of rows.

The four keys come from the key provider and are never in the database:

    field   SM4-GCM of personal data. Each table has an SM4 key of its own, derived from this one,
            so that the 2^32 random nonces that a key allows count for each table apart.
    index   HMAC-SM3 of what is searched for, so that equal values are found without being read.
    row     HMAC-SM3 over rows that decide.
    audit   HMAC-SM3 along the audit chain.

A sealed field is key version (1), nonce (12), ciphertext, tag (16). Table, column, row id and key
version are its associated data: a field copied to another row or column does not open there.
"""

import hmac
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache

from card_core.errors import TamperedRowError
from crypto import DecryptionError, fields, sm3, sm4

KEY_SIZES_BYTES = {"field": 16, "index": 32, "row": 32, "audit": 32}
_KEY_VERSION = b"\x01"
_ONE = (1).to_bytes(4)  # the length of a key version
_NONCE_SIZE_BYTES = 12

Value = None | bool | int | str | bytes | date | datetime


class FieldCipher:
    """Seals, opens, indexes and authenticates; immutable after construction but for a key cache.

    random_bytes: a cryptographic source, for nonces. Raises ValueError for a key of another size.
    """

    def __init__(
        self,
        *,
        field_key: bytes,
        index_key: bytes,
        row_key: bytes,
        audit_key: bytes,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        keys = {"field": field_key, "index": index_key, "row": row_key, "audit": audit_key}
        for name, size in KEY_SIZES_BYTES.items():
            if len(keys[name]) != size:
                raise ValueError(f"the {name} key has {size} bytes")
        self._field_key = field_key
        self._index_key = index_key
        self._row_key = fields.Key(row_key)
        self._audit_key = audit_key
        self._random_bytes = random_bytes
        self._gcm_by_table: dict[str, sm4.Gcm] = {}

    def seal(self, table: str, column: str, row_id: str, plaintext: bytes) -> bytes:
        nonce = self._random_bytes(_NONCE_SIZE_BYTES)
        associated = _associated(table, column, row_id, _KEY_VERSION)
        return _KEY_VERSION + nonce + self._gcm(table).encrypt(nonce, plaintext, associated)

    def open(self, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """Raises TamperedRowError, whatever is wrong."""
        version, nonce, ciphertext = sealed[:1], sealed[1:13], sealed[13:]
        if version != _KEY_VERSION or len(nonce) != _NONCE_SIZE_BYTES:
            raise TamperedRowError(table, row_id)
        try:
            return self._gcm(table).decrypt(
                nonce, ciphertext, _associated(table, column, row_id, version)
            )
        except DecryptionError:
            raise TamperedRowError(table, row_id) from None

    def blind_index(self, purpose: str, value: str) -> bytes:
        """32 bytes that are the same for the same value, and tell nothing of it without the key."""
        return sm3.hmac(self._index_key, _joined([b"index", purpose.encode(), value.encode()]))

    def keyed_digest(self, parts: Iterable[bytes]) -> bytes:
        """32 bytes over the parts and their order, for content that a plain hash would betray."""
        return sm3.hmac(self._index_key, _joined([b"digest", *parts]))

    def row_mac(self, table: str, values: dict[str, Value]) -> bytes:
        """HMAC over the table's name and every value that is not None, with its column's name.

        None counts as absent, so that a column added later leaves the HMACs of old rows right.
        """
        return self._row_key.tag(table, values)

    def audit_link(self, before: bytes, event: bytes) -> bytes:
        """before: the 32 bytes of the link before."""
        return sm3.hmac(self._audit_key, b"link" + before + event)

    def audit_head_mac(self, chain: str, seq: int, link: bytes) -> bytes:
        return sm3.hmac(self._audit_key, _joined([b"head", chain.encode(), b"%d" % seq, link]))

    def _gcm(self, table: str) -> sm4.Gcm:
        gcm = self._gcm_by_table.get(table)
        if gcm is None:
            key = sm3.hmac(self._field_key, _joined([b"field", table.encode()]))[: sm4.KEY_SIZE]
            gcm = self._gcm_by_table[table] = sm4.Gcm(key)
        return gcm


def same(left: bytes, right: bytes) -> bool:
    """Compare two MACs in constant time."""
    return hmac.compare_digest(left, right)


def _associated(table: str, column: str, row_id: str, version: bytes) -> bytes:
    row = row_id.encode()
    return b"%b%b%b%b%b" % (_place(table, column), len(row).to_bytes(4), row, _ONE, version)


@lru_cache(maxsize=256)
def _place(table: str, column: str) -> bytes:
    return _joined([table.encode(), column.encode()])


def _joined(parts: Iterable[bytes]) -> bytes:
    """Each part behind its length, so that no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4) + part for part in parts])
