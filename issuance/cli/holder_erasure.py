"""`sscard holder erase`: what is personal of a person goes, on their request."""

from card_core.kernel.acts.retention import EraseHolder
from card_core.store import holder_changes
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk
from issuance.cli.personal import HolderArgument, find_record


def erase(
    holder: HolderArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """删除某人的全部个人信息，不可恢复（须另一人复核）。
    Erase a person's data for good; another approves.

    最后一张卡须已注销满 183 天；扫码记录和审计日志保留，但不再指向此人。 Six months after the last
    card; scans and the log stay, with nobody behind them.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            record_id = holder_changes.record_that_stays(tx, find_record(tx, holder))
        if desk.decide(EraseHolder(record_id), second, yes=yes):
            screen.say("已删除。", "Erased.")
