"""`sscard holder scan-reports`: scans of which a holder says that they were not theirs."""

from datetime import datetime

from card_core import business_types
from card_core.kernel.permissions import Reading
from card_core.store import Reader, institutions, scan_reports, scans
from card_core.store.scan_reports import ScanReport
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk


def list_scan_reports(operator: OperatorOption = None) -> None:
    """查看持卡人报告“这不是我”的扫码，最近的在前。
    List scans that holders say were not theirs, the latest first.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        rows = [_row(tx, one) for one in scan_reports.latest(tx)]
    screen.show_table(
        [
            "报告时间 Reported",
            "持卡人 Holder",
            "扫码 Scan",
            "扫码时间 Scanned",
            "机构 Institution",
            "业务 Business",
            "结果 Outcome",
        ],
        rows,
        title="不是本人的扫码 Scans that were not the holder's",
    )


def _row(tx: Reader, report: ScanReport) -> tuple[object, ...]:
    scan = scans.get(tx, report.scan_id)
    if scan is None:
        return (_time(report.reported_at), report.holder_id, report.scan_id, None, None, None, None)
    institution = institutions.get_institution(tx, scan.institution_id)
    return (
        _time(report.reported_at),
        report.holder_id,
        scan.id,
        _time(scan.scanned_at),
        None if institution is None else institution.name,
        business_types.get(scan.business_type).name_zh,
        scan.reason.outcome,
    )


def _time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
