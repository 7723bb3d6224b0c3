"""Operators (经办, 复核, 渠道经办, 系统、安全、审计管理员): who works there, and in which roles."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from card_core.states import ServiceState
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import operators as table


class Role(StrEnum):
    MAKER = "maker"
    CHECKER = "checker"
    ADMINISTRATOR = "administrator"
    SECURITY = "security"
    AUDITOR = "auditor"
    CLERK = "clerk"


# GB/T 22239-2019, 8.1.5: system, security and audit administration are three people's. Each of
# these roles stands alone, so that whoever gives rights, watches or audits does no other work.
ALONE = frozenset({Role.ADMINISTRATOR, Role.SECURITY, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Operator:
    """name: the sign-in name. display_name: the person's name, for pages and printouts only."""

    id: str
    name: str
    display_name: str
    roles: frozenset[Role]
    state: ServiceState


def exclude_each_other(roles: Iterable[Role]) -> bool:
    """Whether one person may not have all of these roles."""
    chosen = frozenset(roles)
    return len(chosen) > 1 and bool(chosen & ALONE)


def can_administer(roles_of_each: Iterable[Iterable[Role]]) -> bool:
    """Whether there is a system administrator, who proposes who works here, and a security
    administrator, who approves it; they are never one person."""
    there = {role for roles in roles_of_each for role in roles}
    return {Role.ADMINISTRATOR, Role.SECURITY} <= there


def get(tx: Reader, operator_id: str) -> Operator | None:
    return _read(tx, guarded.get(tx, table, operator_id))


def lock_shared(tx: Transaction, operator_id: str) -> Operator | None:
    return _read(tx, guarded.get(tx, table, operator_id, Lock.SHARED))


def find_by_name(tx: Reader, name: str) -> Operator | None:
    return _read(tx, guarded.first(tx, table, select(table).where(table.c.name == name)))


def lock_active(tx: Transaction) -> list[Operator]:
    """All active operators; of transactions that ask for them, one goes on at a time."""
    tx.lock("operators", Lock.OWN)
    active = select(table).where(table.c.state == ServiceState.ACTIVE.value).order_by(table.c.id)
    return [_record(tx, row) for row in guarded.rows(tx, table, active)]


def page(tx: Reader, *, after: str = "", limit: int = PAGE_SIZE_MAX) -> list[Operator]:
    """At most `limit` operators whose id comes behind `after`."""
    statement = select(table).where(table.c.id > after).order_by(table.c.id)
    found = guarded.rows(tx, table, statement.limit(check_limit(limit)))
    return [_record(tx, row) for row in found]


def add(
    tx: Transaction, operator_id: str, name: str, display_name: str, roles: Iterable[Role]
) -> None:
    sealed = tx.cipher.seal(table.name, "display_name", operator_id, display_name.encode())
    guarded.add(
        tx,
        table,
        {
            "id": operator_id,
            "name": name,
            "display_name": sealed,
            "roles": _text(roles),
            "state": ServiceState.ACTIVE.value,
        },
    )


def set_state(tx: Transaction, operator: Operator, state: ServiceState) -> None:
    guarded.change(tx, table, operator.id, state=state.value)


def set_roles(tx: Transaction, operator: Operator, roles: Iterable[Role]) -> None:
    guarded.change(tx, table, operator.id, roles=_text(roles))


def is_held(tx: Reader, role: Role) -> bool:
    """Whether anybody has, or had when suspended, this role and no other."""
    return guarded.first(tx, table, select(table).where(table.c.roles == role.value)) is not None


def _text(roles: Iterable[Role]) -> str:
    return ",".join(sorted(roles))


def _read(tx: Reader, row: Row[Any] | None) -> Operator | None:
    return None if row is None else _record(tx, row)


def _record(tx: Reader, row: Row[Any]) -> Operator:
    return Operator(
        id=row.id,
        name=row.name,
        display_name=tx.cipher.open(table.name, "display_name", row.id, row.display_name).decode(),
        roles=frozenset(Role(word) for word in row.roles.split(",")),
        state=ServiceState(row.state),
    )
