"""The act of saying "this wasn't me" of a scan."""

from dataclasses import dataclass
from typing import ClassVar

from card_core.errors import NotFoundError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.store import Lock, holder_changes, scan_reports, scans
from card_core.store.scan_reports import ScanReport


@dataclass(frozen=True, slots=True)
class ReportScan(Act):
    """这不是我: the holder tells the bureau that a scan of their code or card was not theirs.

    It changes neither card nor scan: whether the card is to be reported lost the holder decides.
    One report a scan; the same again is answered as the first. Answer: scan_id, reported_at.
    Raises NotFoundError, also for a scan of somebody else's.
    """

    act: ClassVar[str] = "report_scan"

    scan_id: str

    def __post_init__(self) -> None:
        limits.check_id("scan_id", self.scan_id)

    def apply(self, scene: Scene) -> Done:
        holder_id = scene.actor.id
        scene.tx.lock(f"scan_reports/{self.scan_id}", Lock.OWN)
        scan = scans.get(scene.tx, self.scan_id)
        if scan is None or scan.holder_id not in holder_changes.record_ids(scene.tx, holder_id):
            raise NotFoundError("scan")
        report = scan_reports.get(scene.tx, scan.id)
        if report is None:
            report = ScanReport(scan.id, holder_id, scene.now)
            scan_reports.add(scene.tx, report)
        answer = {"scan_id": scan.id, "reported_at": report.reported_at.isoformat()}
        return Done(
            answer,
            f"holder/{holder_id}",
            {**answer, "institution_id": scan.institution_id, "card_id": scan.card_id},
        )
