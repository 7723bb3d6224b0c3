"""Terminals: letting one be enrolled by a code, and ending codes, keys and service at once."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath

from card_core.errors import IdempotencyConflictError, NotFoundError
from card_core.kernel import Kernel, enrolment_codes, limits
from card_core.kernel.acts.enrolment import (
    PrepareEnrolment,
    RevokeTerminalKeys,
    WithdrawEnrolment,
)
from card_core.kernel.acts.institutions import ReinstateTerminal, SuspendTerminal
from card_core.kernel.permissions import Reading
from card_core.service_channels import PLACES
from card_core.store import Reader, enrolments, institutions
from issuance.console import place_models as models
from issuance.console.entry import PREFIX, Asked
from issuance.console.models import Answer, Nothing, Proposed
from issuance.console.place_routes import Code
from issuance.console.problems import ConsoleError
from issuance.status_keys import status_keys

Serial = Annotated[str, InPath(pattern=r"^[0-9a-f]{16}$")]


def routes(kernel: Kernel, question: object, change: object) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["terminals"])
    router.routes.extend(_at_institutions(kernel, question, change).routes)

    @router.get("/status-keys", operation_id="listStatusKeys")
    def list_status_keys(asked: Annotated[Asked, question]) -> models.StatusKeys:
        """What a terminal trusts before it works with no network. 终端须信任的状态密钥。"""
        asked.check_reads(Reading.PLACES)
        with kernel.store.read() as tx:
            return models.StatusKeys(keys=status_keys(tx))

    @router.post("/terminals/{serial}/withdrawal", operation_id="withdrawEnrolment")
    def withdraw(serial: Serial, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """The code that is out for it is worth nothing from now on. 收回登记码，立即生效。"""
        return asked.perform(WithdrawEnrolment(bytes.fromhex(serial)))

    @router.post("/terminals/{serial}/revocation", operation_id="revokeTerminalKeys")
    def revoke(serial: Serial, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """Every key of it ends; enrolled anew, it serves again. 吊销终端密钥，立即生效。"""
        return asked.perform(RevokeTerminalKeys(bytes.fromhex(serial)))

    @router.post("/terminals/{serial}/suspension", operation_id="suspendTerminal")
    def suspend(serial: Serial, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """In effect at once. 停用终端，立即生效。"""
        return asked.perform(SuspendTerminal(bytes.fromhex(serial)))

    @router.post(
        "/terminals/{serial}/reinstatement",
        operation_id="proposeReinstateTerminal",
        status_code=201,
    )
    def reinstate(serial: Serial, _body: Nothing, asked: Annotated[Asked, change]) -> Proposed:
        """Proposed; another person approves. 恢复终端，待复核。"""
        return asked.propose(ReinstateTerminal(bytes.fromhex(serial)))

    return router


def _at_institutions(kernel: Kernel, question: object, change: object) -> APIRouter:
    router = APIRouter(prefix=PREFIX + "/institutions/{code}/terminals", tags=["terminals"])

    @router.get("", operation_id="listTerminals")
    def list_terminals(code: Code, asked: Annotated[Asked, question]) -> models.TerminalList:
        """Those of one institution, and the codes that are out. 某机构的终端和已发出的登记码。"""
        asked.check_reads(Reading.PLACES)
        now = kernel.clock()
        with kernel.store.read() as tx:
            institution = institutions.institution_by_code(tx, code)
            if institution is None:
                raise NotFoundError("institution")
            found = institutions.terminals_of(tx, institution.id)
            waiting = enrolments.waiting_at(tx, institution.id, now)
        return models.TerminalList(
            terminals=[
                models.TerminalView(
                    serial_number=one.serial_number.hex(),
                    channel=one.channel,
                    state=one.state,
                    has_key=one.speaks_by(one.public_key, now),
                )
                for one in found
            ],
            waiting=[
                models.WaitingTerminal(
                    serial_number=one.serial_number.hex(),
                    channel=one.channel,
                    code_name=one.code_name,
                    ends_at=one.ends_at,
                )
                for one in waiting
            ],
        )

    @router.post("", operation_id="proposeEnrolment", status_code=201)
    def enrol(
        code: Code, body: models.NewTerminal, asked: Annotated[Asked, change]
    ) -> models.PreparedEnrolment:
        """Proposed; another person approves. The answer has the code by which the terminal then
        brings its own key, and is given once: a repetition is told so (409 code_shown_once).
        提请登记终端或更换其密钥，登记码只给出一次，待复核。"""
        asked.check_may(PrepareEnrolment)
        let_out = enrolment_codes.make(kernel.random_bytes)
        serial_number = bytes.fromhex(body.serial_number)
        digest = let_out.digest(kernel.store.cipher, serial_number)
        act = PrepareEnrolment(serial_number, code, let_out.name, digest, body.channel)
        with kernel.store.read() as tx:
            _check_place(tx, act)
        try:
            proposed = kernel.propose(act, actor=asked.actor, request_id=asked.key)
        except IdempotencyConflictError:
            raise _shown_once() from None
        return models.PreparedEnrolment(**proposed, enrolment_code=str(let_out))

    return router


def _check_place(tx: Reader, act: PrepareEnrolment) -> None:
    """Tell whoever proposes it, and not only the approver, that a terminal can't stand there."""
    institution = institutions.institution_by_code(tx, act.institution_code)
    if institution is None:
        raise NotFoundError("institution")
    if act.channel is not None:
        limits.check_one_of("institution_kind", institution.kind, PLACES[act.channel])
    terminal = institutions.terminal_by_serial(tx, act.serial_number)
    if terminal is not None and (
        (terminal.institution_id, terminal.channel) != (institution.id, act.channel)
    ):
        raise ConsoleError(
            409,
            "terminal_elsewhere",
            "该序列号已登记在别的机构，或登记为另一种类，请核对。终端换机构须重新生成密钥和序列号",
            "This serial number is enrolled at another institution, or as another kind; check it. "
            "A terminal that moves makes a new key with a new serial number",
        )


def _shown_once() -> ConsoleError:
    return ConsoleError(
        409,
        "code_shown_once",
        "这次登记已经提交过，登记码只给出一次。没有看到的，请在待复核中撤回，再重新提交",
        "This was proposed already, and its code is given once. If you never saw it, take the "
        "proposal back among the approvals and propose it anew",
    )
