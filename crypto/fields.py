"""Rows of named, typed values as bytes, natively: what an HMAC or a digest of a row is over.

encode(table, values)         # the bytes themselves
Key(key).tag(table, values)   # HMAC-SM3 of them, 32 bytes; the key is hashed once, and wiped
Key(key).tags(table, names, rows)   # of many rows, each a tuple of values in the order of the names
digest(table, rows)           # SM3 over many rows in their order, 32 bytes

The bytes are parts, each behind its length (4 bytes, big-endian): "row", the table, and for each
value that is not None its name and itself, in the order of the names. A value begins with a letter
for its type, so that 1, "1" and b"1" are three:

    b   a bool: 0 or 1                    x   bytes, as they are
    i   an int, in decimal                t   a datetime in UTC: 2026-07-01T08:00:00.000000+00:00
    s   a str, in UTF-8                   d   a date: 2026-07-01

None counts as absent, so that a column added later leaves old rows as they were. In a digest each
row comes behind its length. Raises TypeError for a value of another type.
"""

from crypto._native import FieldsKey as Key
from crypto._native import fields_digest as digest
from crypto._native import fields_encode as encode

__all__ = ["Key", "digest", "encode"]
