"""What costs each card that is issued and that nobody asks: references that the HMACs of the rows
hold, an index of e-cards, and pages of makings that are too full to change a row in its place.

Revision 0023.
"""

from alembic import op
from sqlalchemy import text

revision = "0023"
down_revision = "0022"

_LIVE = text("state <> 'cancelled'")
_PARTIAL = {
    "uq_cards_live": ("cards", "holder_id", True, _LIVE),
    "uq_cards_live_number": ("cards", "card_number", True, _LIVE),
    "ix_cards_loss_lapses_at": (
        "cards",
        "loss_lapses_at",
        False,
        text("loss_lapses_at IS NOT NULL"),
    ),
    "uq_makings_code_index": ("makings", "code_index", True, text("code_index IS NOT NULL")),
}
_REFERENCES = {
    "cards": ("fk_cards_holder_id", "fk_cards_batch_id"),
    "ecards": ("fk_ecards_card_id",),
    "makings": ("fk_makings_id",),
}
# Of what may not be deleted: where rows refer to it.
_REFERRED_TO = {
    "holders": ("cards.holder_id",),
    "batches": ("cards.batch_id",),
    "cards": ("ecards.card_id", "makings.id"),
}


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    op.drop_index("ix_ecards_holder_id", "ecards")
    if is_sqlite:  # makes the tables anew; partial indexes are not among what is taken along
        for name, (table, _, _, _) in _PARTIAL.items():
            op.drop_index(name, table)
    for table, references in _REFERENCES.items():
        with op.batch_alter_table(table) as changed:
            for reference in references:
                changed.drop_constraint(reference, type_="foreignkey")
    if is_sqlite:
        for name, (table, column, is_unique, where) in _PARTIAL.items():
            op.create_index(name, table, [column], unique=is_unique, sqlite_where=where)
    else:
        op.execute("ALTER TABLE makings SET (fillfactor = 45)")
    for table, places in _REFERRED_TO.items():
        _keep(table, places, is_sqlite=is_sqlite)


def _keep(table: str, places: tuple[str, ...], *, is_sqlite: bool) -> None:
    """Refuse to delete a row that others refer to, as their foreign keys did."""
    is_referred_to = " OR ".join(
        f"EXISTS (SELECT 1 FROM {place.split('.')[0]} WHERE {place} = OLD.id)"  # noqa: S608 - names of the schema
        for place in places
    )
    if is_sqlite:
        op.execute(
            f"CREATE TRIGGER keep_{table} BEFORE DELETE ON {table} WHEN {is_referred_to} "
            "BEGIN SELECT RAISE(ABORT, 'others refer to this row'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {is_referred_to} THEN RAISE EXCEPTION 'others refer to this row' "
        "USING ERRCODE = 'foreign_key_violation'; END IF; RETURN OLD; END $$"
    )
    op.execute(
        f"CREATE TRIGGER keep_{table} BEFORE DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
    )
