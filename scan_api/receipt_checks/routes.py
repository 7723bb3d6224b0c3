"""Is this receipt genuine? For whoever holds one: an auditor, a relative, another institution."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from starlette.requests import Request

from card_core import business_types, receipts
from card_core.business_types import UnknownBusinessTypeError
from card_core.codes import KeyPurpose
from card_core.receipts import InvalidReceiptError, ReceiptContent, ReceiptKey, ReceiptKind
from card_core.store import institutions, issuers, reversals
from card_core.store.database import Reader
from scan_api import problems
from scan_api.openapi import BODY_FAULTS, example, json_answer, problem_answers
from scan_api.problems import ProblemError
from scan_api.receipt_checks import examples
from scan_api.receipt_checks.models import ReceiptChecked, ReceiptCheckRequest
from scan_api.refusal_limit import RefusalLimit
from scan_api.services import Services

NOT_GENUINE = ReceiptChecked(genuine=False)


def routes(services: Services) -> APIRouter:
    router = APIRouter(tags=["service"])
    limit = RefusalLimit()

    @router.post(
        "/v1/receipt-checks",
        operation_id="checkReceipt",
        summary="Is this receipt genuine · 验证核验凭据",
        responses={
            **json_answer(
                "What the receipt is of, naming nobody · 凭据所证明的事项，不含个人信息",
                {
                    "genuine": example("Genuine · 真凭据", examples.GENUINE),
                    "not_genuine": example("Not genuine · 无效", examples.NOT_GENUINE),
                },
            ),
            **problem_answers(*BODY_FAULTS, problems.TOO_MANY_CHECKS, problems.NOT_READY),
        },
    )
    def check_receipt(body: ReceiptCheckRequest, request: Request) -> ReceiptChecked:
        """The check of `sscard receipt verify`, by this issuer's keys, and whether what the
        receipt is of was taken back since. Nobody signs in, and nothing of it is kept. The holder,
        the amount, the terminal and the clerk are not told.

        与 sscard receipt verify 相同的验证，并说明事后是否已撤销。无需登录，不留记录；
        不显示持卡人、金额、终端和经办人。
        """
        peer = request.client.host if request.client else ""
        with services.store.read() as tx:
            try:
                return _checked(tx, body.receipt)
            except InvalidReceiptError:
                _count(limit, peer, services.clock())
                return NOT_GENUINE

    return router


def _checked(tx: Reader, text: str) -> ReceiptChecked:
    """Raises: InvalidReceiptError."""
    keys = [ReceiptKey.of(key) for key in issuers.keys(tx) if key.purpose is KeyPurpose.RECEIPT]
    data = receipts.from_text(receipts.text_in(text.encode()))
    content = receipts.verify_receipt(data, keys)
    institution = institutions.institution_by_code(tx, content.institution_code)
    name_zh, name_en = _names_of(content)
    is_scan = content.kind is ReceiptKind.SCAN
    return ReceiptChecked(
        genuine=True,
        kind=_KINDS[content.kind],
        at=content.at,
        institution_code=content.institution_code,
        institution_name=None if institution is None else institution.name,
        business_type_zh=name_zh,
        business_type_en=name_en,
        reversed=bool(reversals.of_scan(tx, content.scan_id)) if is_scan else None,
    )


_KINDS: dict[ReceiptKind, Literal["scan", "refund", "return", "void"]] = {
    ReceiptKind.SCAN: "scan",
    ReceiptKind.REFUND: "refund",
    ReceiptKind.RETURN: "return",
    ReceiptKind.VOID: "void",
}


def _names_of(content: ReceiptContent) -> tuple[str, str]:
    """A type of a later version is told by its code."""
    try:
        found = business_types.get(content.business_type)
    except UnknownBusinessTypeError:
        return content.business_type, content.business_type
    return found.name_zh, found.name_en


def _count(limit: RefusalLimit, peer: str, now: datetime) -> None:
    """Raises: ProblemError, for whoever only tries."""
    if wait_seconds := limit.take(peer, now):
        raise ProblemError(problems.TOO_MANY_CHECKS, headers={"Retry-After": str(wait_seconds)})
