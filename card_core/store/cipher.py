"""What protects data at rest: sealed fields, blind indexes, keyed digests, HMACs of rows.

The four keys come from the key provider and are never in the database:

    field   SM4-GCM of personal data. Each table has an SM4 key of its own, derived from this one,
            so that the 2^32 random nonces that a key allows count for each table apart. It has
            versions: one seals, and those before it open what they have sealed.
    index   HMAC-SM3 of what is searched for, so that equal values are found without being read.
    row     HMAC-SM3 over rows that decide.
    audit   HMAC-SM3 along the audit chain.

A sealed field is key version (1), nonce (12), ciphertext, tag (16). Table, column, row id and key
version are its associated data: a field copied to another row or column does not open there.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import chain

from card_core.errors import FieldKeyDiffersError, TamperedRowError
from crypto import DecryptionError, fields, sm3, sm4

KEY_SIZES_BYTES = {"field": 16, "index": 32, "row": 32, "audit": 32}
CHECK_VALUE_SIZE_BYTES = 16
_ONE = (1).to_bytes(4)  # the length of a key version
_NONCE_SIZE_BYTES = 12

Value = None | bool | int | str | bytes | date | datetime


class FieldCipher:
    """Seals, opens, indexes and authenticates; nothing changes but the version that seals.

    field_key: of version 1; or what gives the key of a version and a table (`table_key`), and
    raises LookupError for a version that is not there. random_bytes: a cryptographic source, for
    nonces. Raises ValueError for a key of another size.
    """

    def __init__(
        self,
        *,
        field_key: bytes | Callable[[int, str], bytes],
        index_key: bytes,
        row_key: bytes,
        audit_key: bytes,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        keys = {"index": index_key, "row": row_key, "audit": audit_key}
        if isinstance(field_key, bytes):
            keys["field"] = field_key
            self._table_key = _only_version(field_key)
        else:
            self._table_key = field_key
        for name, key in keys.items():
            if len(key) != KEY_SIZES_BYTES[name]:
                raise ValueError(f"the {name} key has {KEY_SIZES_BYTES[name]} bytes")
        self._version = 1
        self._index_key = index_key
        self._row_key = fields.Key(row_key)
        self._audit_key = audit_key
        self._random_bytes = random_bytes
        self._gcms: dict[tuple[int, str], sm4.Gcm] = {}

    def seal_under(self, version: int) -> None:
        """Seal under this version of the field key from now on; it need not be there yet."""
        self._version = version

    def check_value(self, version: int) -> bytes:
        """16 bytes that tell two keys of this version apart and show none; empty for no key."""
        try:
            return sm3.hmac(self._table_key(version, ""), b"check value")[:CHECK_VALUE_SIZE_BYTES]
        except LookupError:
            return b""

    def seal(self, table: str, column: str, row_id: str, plaintext: bytes) -> bytes:
        """Raises FieldKeyDiffersError where the key of the version that seals is not here."""
        return self.seal_table(table, (row_id,), {column: (plaintext,)})[column][0]

    def seal_table(
        self, table: str, row_ids: Sequence[str], columns: Mapping[str, Sequence[bytes]]
    ) -> dict[str, list[bytes]]:
        """Seal columns of many rows, each as `seal` does a field, in one call; raises as `seal`.

        columns: of each its plaintexts in the order of the rows; at most 2^16 in all. Their nonces
        are drawn at once: a system call for each would take most of the time.
        """
        number, names, rows = self._version, tuple(columns), len(row_ids)
        try:
            gcm = self._gcm(number, table)
        except LookupError:
            raise FieldKeyDiffersError(number) from None
        if not rows:
            return {name: [] for name in names}
        version = bytes((number,))
        nonces = self._random_bytes(_NONCE_SIZE_BYTES * len(names) * rows)
        texts = list(chain.from_iterable(columns.values()))
        places, of_rows = _places(table, names), _of_rows(row_ids, version)
        sealed = gcm.encrypt_each(version, nonces, texts, places, of_rows)
        return dict(zip(names, _cut(sealed, rows), strict=True))

    def open_table(
        self, table: str, row_ids: Sequence[str], columns: Mapping[str, Sequence[bytes]]
    ) -> dict[str, list[bytes]]:
        """The inverse of `seal_table`, in one call where one version of the key sealed them all.

        Raises TamperedRowError, which names a row that is not as it was sealed.
        """
        names, rows = tuple(columns), len(row_ids)
        texts = list(chain.from_iterable(columns.values()))
        version = texts[0][:1] if texts else b""
        try:
            opened = self._gcm(version[0], table).decrypt_each(
                version, texts, _places(table, names), _of_rows(row_ids, version)
            )
        except (DecryptionError, LookupError):
            # Where several versions sealed them, each opens by itself; what is wrong does not.
            return {
                name: [
                    self.open(table, name, row_id, sealed)
                    for row_id, sealed in zip(row_ids, column, strict=True)
                ]
                for name, column in columns.items()
            }
        return dict(zip(names, _cut(opened, rows), strict=True))

    def open(self, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """Raises TamperedRowError, whatever is wrong."""
        version, nonce, ciphertext = sealed[:1], sealed[1:13], sealed[13:]
        if len(nonce) != _NONCE_SIZE_BYTES:
            raise TamperedRowError(table, row_id)
        try:
            return self._gcm(version[0], table).decrypt(
                nonce, ciphertext, _associated(table, column, row_id, version)
            )
        except (DecryptionError, LookupError):
            raise TamperedRowError(table, row_id) from None

    def seal_row(self, table: str, row_id: str, values: Mapping[str, bytes]) -> dict[str, bytes]:
        """By column, as `seal` does each, in one call. Raises as `seal`."""
        sealed = self.seal_table(table, (row_id,), {name: (text,) for name, text in values.items()})
        return {name: column[0] for name, column in sealed.items()}

    def open_row(self, table: str, row_id: str, sealed: Mapping[str, bytes]) -> dict[str, bytes]:
        """By column, as `open` does each, in one call where one version of the key sealed them all.
        Raises TamperedRowError."""
        opened = self.open_table(table, (row_id,), {name: (text,) for name, text in sealed.items()})
        return {name: column[0] for name, column in opened.items()}

    def blind_index(self, purpose: str, value: str) -> bytes:
        """32 bytes that are the same for the same value, and tell nothing of it without the key."""
        text = value.encode()
        return sm3.hmac(self._index_key, _index_head(purpose) + len(text).to_bytes(4) + text)

    def keyed_digest(self, parts: Iterable[bytes]) -> bytes:
        """32 bytes over the parts and their order, for content that a plain hash would betray."""
        return sm3.hmac(self._index_key, _joined([b"digest", *parts]))

    def row_mac(self, table: str, values: dict[str, Value]) -> bytes:
        """HMAC over the table's name and every value that is not None, with its column's name.

        None counts as absent, so that a column added later leaves the HMACs of old rows right.
        """
        return self._row_key.tag(table, values)

    def row_macs(
        self, table: str, names: tuple[str, ...], rows: list[tuple[Value, ...]]
    ) -> list[bytes]:
        """As `row_mac` of each row, in one call. names: of the values of each, in their order."""
        return self._row_key.tags(table, names, rows)

    def audit_link(self, before: bytes, event: bytes) -> bytes:
        """before: the 32 bytes of the link before."""
        return sm3.hmac(self._audit_key, b"link" + before + event)

    def audit_head_mac(self, chain: str, seq: int, link: bytes) -> bytes:
        return sm3.hmac(self._audit_key, _joined([b"head", chain.encode(), b"%d" % seq, link]))

    def _gcm(self, version: int, table: str) -> sm4.Gcm:
        """Raises LookupError."""
        gcm = self._gcms.get((version, table))
        if gcm is None:
            gcm = self._gcms[version, table] = sm4.Gcm(self._table_key(version, table))
        return gcm


def table_key(field_key: bytes, table: str) -> bytes:
    """The SM4 key of one table under a version of the field key."""
    return sm3.hmac(field_key, _joined([b"field", table.encode()]))[: sm4.KEY_SIZE]


def _only_version(field_key: bytes) -> Callable[[int, str], bytes]:
    def found(version: int, table: str) -> bytes:
        if version != 1:
            raise LookupError(version)
        return table_key(field_key, table)

    return found


def same(left: bytes, right: bytes) -> bool:
    """Compare two MACs in constant time."""
    return hmac.compare_digest(left, right)


def _associated(table: str, column: str, row_id: str, version: bytes) -> bytes:
    return _place(table, column) + _of_row(row_id, version)


def _of_row(row_id: str, version: bytes) -> bytes:
    """What all columns of a row are associated with, behind their places."""
    row = row_id.encode()
    return b"%b%b%b%b" % (len(row).to_bytes(4), row, _ONE, version)


def _of_rows(row_ids: Iterable[str], version: bytes) -> list[bytes]:
    tail = _ONE + version
    return [len(row).to_bytes(4) + row + tail for row in map(str.encode, row_ids)]


def _cut(texts: list[bytes], rows: int) -> list[list[bytes]]:
    """Column by column."""
    return [texts[at : at + rows] for at in range(0, len(texts), rows)]


@lru_cache(maxsize=64)
def _index_head(purpose: str) -> bytes:
    return _joined([b"index", purpose.encode()])


@lru_cache(maxsize=64)
def _places(table: str, columns: tuple[str, ...]) -> list[bytes]:
    return [_place(table, column) for column in columns]


@lru_cache(maxsize=256)
def _place(table: str, column: str) -> bytes:
    return _joined([table.encode(), column.encode()])


def _joined(parts: Iterable[bytes]) -> bytes:
    """Each part behind its length, so that no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4) + part for part in parts])
