"""A cipher with several versions of the field key, of which some may be missing."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bureau import BOX_WRAP_KEY, Clock, make_grants
from sqlalchemy import select

from card_core.kernel import BoxKeyWrap, Kernel
from card_core.store import FieldCipher, Store, field_keys, open_store
from card_core.store.cipher import table_key

# The first is that of `bureau.make_cipher`.
KEYS: Mapping[int, bytes] = {version: bytes([version]) * 16 for version in (1, 2, 3)}


def cipher_with(
    keys: Mapping[int, bytes] = KEYS, tables: Mapping[tuple[int, str], bytes] | None = None
) -> FieldCipher:
    """tables: keys of single tables, of versions that are gone."""

    def find(version: int, table: str) -> bytes:
        if version in keys:
            return table_key(keys[version], table)
        return (tables or {})[version, table]

    return FieldCipher(
        field_key=find,
        index_key=bytes([2]) * 32,
        row_key=bytes([3]) * 32,
        audit_key=bytes([4]) * 32,
        random_bytes=os.urandom,
    )


@contextmanager
def opened(url: str, clock: Clock, cipher: FieldCipher | None = None) -> Iterator[Kernel]:
    """A kernel as another process has it."""
    store = open_store(url, cipher=cipher or cipher_with())
    yield kernel_on(store, clock)
    store.close()


def kernel_on(store: Store, clock: Clock) -> Kernel:
    return Kernel(
        store,
        clock=clock,
        random_bytes=os.urandom,
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, clock),
    )


def versions_at_rest(store: Store) -> dict[str, set[int]]:
    """By table and column the versions that values are under, read past the product."""
    found: dict[str, set[int]] = {}
    every = (*field_keys.RESEALED.items(), *field_keys.EXPIRING.items(), *field_keys.KEPT.items())
    with store.read() as tx:
        for table, columns in every:
            for column in columns:
                values = tx.connection.execute(select(table.c[column])).scalars()
                if numbers := {value[0] for value in values if value}:
                    found[f"{table.name}.{column}"] = numbers
    return found
