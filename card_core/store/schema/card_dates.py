"""When a card came to the steps of its life that figures and retention count from."""

from sqlalchemy import Column, Date, ForeignKey, Table

from card_core.store.schema.base import ID, metadata

# Beside a card, from its first such step on; each date is Shanghai's, and the first one stays. Not
# guarded: it decides nothing about a card, and each step is in the audit log.
card_dates = Table(
    "card_dates",
    metadata,
    Column("card_id", ID, ForeignKey("cards.id"), primary_key=True),
    Column("handed_over_on", Date),
    Column("activated_on", Date),
    Column("ecard_activated_on", Date),
    Column("cancelled_on", Date, index=True),
)
