"""The store: the one place with SQL.

    store = open_store("sqlite:///bureau.db", cipher=FieldCipher(...))
    store.upgrade()
    with store.read() as tx:
        card = cards.live_card_of(tx, holder_id)

One module a noun, each with its records (frozen dataclasses) and its queries, which take the open
transaction first. Only the kernel opens `store.write()`.
"""

from card_core.store.cipher import FieldCipher
from card_core.store.database import Lock, Reader, Store, Transaction, open_store

__all__ = ["FieldCipher", "Lock", "Reader", "Store", "Transaction", "open_store"]
