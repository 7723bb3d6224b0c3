"""Who works here: whether three people administer, and everybody has a second factor."""

from collections.abc import Iterator

from card_core.states import ServiceState
from card_core.store import Reader, operator_factors, operators
from issuance.checkup.finding import Finding, Grade

_ABOUT = "操作员 Operators"


def look(tx: Reader) -> Iterator[Finding]:
    """Of the first page of operators; a bureau has no more."""
    active = [one for one in operators.page(tx) if one.state is ServiceState.ACTIVE]
    if not operators.can_administer(one.roles for one in active):
        advice = "缺少系统管理员或安全管理员，请用 sscard upgrade --security-administrator"
        yield Finding(_ABOUT, Grade.BAD, f"{advice} no administrator, or no security administrator")
        return
    for one in active:
        if operators.exclude_each_other(one.roles):
            advice = "兼任互斥角色，请用 sscard operator roles 更改"
            yield Finding(_ABOUT, Grade.NOTE, f"{one.name}：{advice} has roles that exclude others")
    without = [one.name for one in active if operator_factors.get(tx, one.id) is None]
    if without:
        advice = "尚未登记第二因素，不能登录 no second factor yet, can't sign in"
        yield Finding(_ABOUT, Grade.NOTE, f"{', '.join(without)}：{advice}")
    else:
        yield Finding(_ABOUT, Grade.WELL, f"{len(active)}")
