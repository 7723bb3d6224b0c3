"""What all tables share: one metadata, types of ids and states, the guard of rows that decide."""

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(32)  # 12 hex of milliseconds, 20 hex of randomness
STATE = String(24)


def guard() -> tuple[Column[int], Column[bytes]]:
    """A row that decides has a version and an HMAC over everything in it."""
    return (
        Column("version", Integer, nullable=False),
        Column("mac", LargeBinary(32), nullable=False),
    )
