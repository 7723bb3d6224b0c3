"""Second factors of operators; sessions that were opened without one end.

Revision 0015.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    column,
    delete,
    table,
)

from card_core.store.columns import Instant

revision = "0015"
down_revision = "0014"

_SESSIONS = table("sessions", column("subject_kind", String()))


def upgrade() -> None:
    op.create_table(
        "operator_factors",
        Column("id", String(length=32), nullable=False),
        Column("kind", String(length=16), nullable=False),
        Column("public_key", LargeBinary(length=33), nullable=True),
        Column("secret", LargeBinary(), nullable=True),
        Column("last_step", BigInteger(), nullable=True),
        Column("enrolled_at", Instant(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("mac", LargeBinary(length=32), nullable=False),
        PrimaryKeyConstraint("id", name="pk_operator_factors"),
        UniqueConstraint("public_key", name="uq_operator_factors_public_key"),
    )
    # None counts as absent in a row's HMAC: the rows that are there stay sound.
    op.add_column("operators", Column("factor", String(length=16), nullable=True))
    op.execute(delete(_SESSIONS).where(_SESSIONS.c.subject_kind == "operator"))
