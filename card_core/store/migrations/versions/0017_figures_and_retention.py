"""Dates of a card's life, for how long what is kept, erased holders, exports that holders took.

Revision 0017.
"""

from alembic import op
from sqlalchemy import (
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    text,
)

from card_core.store.columns import Instant

revision = "0017"
down_revision = "0016"

# The date in Shanghai of an instant, and of now.
_DAY = {"sqlite": "date(at, '+8 hours')", "postgresql": "(at AT TIME ZONE 'Asia/Shanghai')::date"}
_TODAY = {
    "sqlite": "date('now', '+8 hours')",
    "postgresql": "(now() AT TIME ZONE 'Asia/Shanghai')::date",
}

# What the audit log knows of the cards that are there. A life event's detail names its parts.
_KNOWN_FROM_THE_LOG = """
INSERT INTO card_dates (card_id, handed_over_on, activated_on, ecard_activated_on, cancelled_on)
SELECT substr(subject, 6),
       min(CASE WHEN act IN ('hand_over_card', 'activate_card') OR activates THEN day END),
       min(CASE WHEN act = 'activate_card' OR activates THEN day END),
       min(CASE WHEN act = 'activate_ecard' THEN day END),
       min(CASE WHEN act IN ('cancel_card', 'replace_card', 'exchange_card') OR cancels
           THEN day END)
FROM (SELECT subject, act, {day} AS day,
             act LIKE '%_life_event' AND detail LIKE '%"activate_card"%' AS activates,
             act LIKE '%_life_event' AND detail LIKE '%"cancel_card"%' AS cancels
      FROM audit_events
      WHERE chain = 'bureau' AND subject LIKE 'card/%'
        AND act IN ('hand_over_card', 'activate_card', 'activate_ecard', 'cancel_card',
                    'replace_card', 'exchange_card', 'serve_life_event', 'decide_life_event')
     ) AS steps
WHERE substr(subject, 6) IN (SELECT id FROM cards)
GROUP BY subject
"""
# A card that was cancelled before anybody noted when counts as cancelled today: what is kept of its
# holder is kept longer, never shorter.
_CANCELLED_SOMETIME = """
INSERT INTO card_dates (card_id, cancelled_on)
SELECT id, {today} FROM cards WHERE state = 'cancelled'
ON CONFLICT (card_id) DO UPDATE SET cancelled_on = excluded.cancelled_on
WHERE card_dates.cancelled_on IS NULL
"""


def upgrade() -> None:
    op.create_table(
        "card_dates",
        Column("card_id", String(length=32), nullable=False),
        Column("handed_over_on", Date()),
        Column("activated_on", Date()),
        Column("ecard_activated_on", Date()),
        Column("cancelled_on", Date()),
        ForeignKeyConstraint(["card_id"], ["cards.id"], name="fk_card_dates_card_id"),
        PrimaryKeyConstraint("card_id", name="pk_card_dates"),
    )
    op.create_index("ix_card_dates_cancelled_on", "card_dates", ["cancelled_on"])
    dialect = op.get_bind().dialect.name
    op.execute(text(_KNOWN_FROM_THE_LOG.format(day=_DAY[dialect])))
    op.execute(text(_CANCELLED_SOMETIME.format(today=_TODAY[dialect])))
    op.create_table(
        "retention_policies",
        Column("id", String(length=8), nullable=False),
        Column("holder_days", Integer(), nullable=False),
        Column("refused_days", Integer(), nullable=False),
        Column("approval_days", Integer(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_retention_policies"),
    )
    op.create_table(
        "holder_exports",
        Column("id", String(length=32), nullable=False),
        Column("holder_id", String(length=32), nullable=False),
        Column("at", Instant(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_holder_exports"),
    )
    op.create_index("ix_holder_exports_holder_id", "holder_exports", ["holder_id"])
    op.create_index("ix_holder_exports_at", "holder_exports", ["at"])
    # Empty for what is not erased: no table has to be made anew, and HMACs stay right.
    for table in ("holders", "approvals"):
        op.add_column(table, Column("erased_at", Instant()))
