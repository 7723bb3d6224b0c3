"""Who may do what: every act tried by every kind of actor, against a matrix written out by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest
from bureau import ISSUER, KEY_NUMBER, SYSTEM, Bureau, Person, make_application, terminal_actor
from permission_matrix import APPROVERS, MATRIX
from phone import Phone
from trusting import document

from card_core.application import Application, ApplicationKind
from card_core.applying import FilingEvidence, MakingMode, RefusalReason
from card_core.card_policy import CardNumberKept
from card_core.codes import KeyPurpose, key_name
from card_core.data_uses import DataUse
from card_core.errors import ApprovalNeededError, CardCoreError, NotAllowedError
from card_core.kernel import Act, Actor, ActorKind, DangerousAct
from card_core.kernel.acts.at_once import OrderAtOnce, ReceiveBlanks, SpoilBlanks, SpoilReason
from card_core.kernel.acts.audit_exports import ExportAuditLog
from card_core.kernel.acts.banking import (
    AccountReturned,
    CloseBankReturn,
    OpenBankReturn,
    SendToBank,
    TakeBankReturn,
)
from card_core.kernel.acts.batch_control import CancelBatch, PauseBatch, ResumeBatch
from card_core.kernel.acts.batches import ImportRoster, IssueChunk, ReleaseBatch
from card_core.kernel.acts.card_locks import LockCard, SealCard, SealReason, UnlockCard, UnsealCard
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
    LapseTemporaryLoss,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawFormalLoss,
    WithdrawTemporaryLoss,
)
from card_core.kernel.acts.checkpoints import KeepCheckpoint
from card_core.kernel.acts.consents import SetConsent
from card_core.kernel.acts.devices import IssueDeviceCredentials, RegisterDevice, RemoveDevice
from card_core.kernel.acts.ecards import CancelECard, ResumeECard, SuspendECard
from card_core.kernel.acts.enrolment import (
    EnrolTerminal,
    PrepareEnrolment,
    RevokeTerminalKeys,
    RotateTerminalKey,
    WithdrawEnrolment,
)
from card_core.kernel.acts.epochs import CloseEpoch, GrantBuckets, OpenEpoch
from card_core.kernel.acts.families import EndFamilyMember, OfferECard, ShowWard, TakeECard
from card_core.kernel.acts.field_keys import ActivateFieldKey, DestroyFieldKey, ResealFields
from card_core.kernel.acts.filings import (
    AcceptFiling,
    FileApplication,
    RefuseFiling,
    WithdrawFiling,
)
from card_core.kernel.acts.guardians import BindGuardian, EndGuardianship
from card_core.kernel.acts.handing_over import DispatchCards, HandOverCard, ReworkCards
from card_core.kernel.acts.holder_base import CorrectHolder, HolderEvidence, MergeHolders
from card_core.kernel.acts.holder_exports import ExportHolder
from card_core.kernel.acts.imports import CloseImport, DropImport, ImportRows, OpenImport
from card_core.kernel.acts.institutions import (
    ChangeBusinessTypes,
    DesignateInstitution,
    ReinstateInstitution,
    ReinstateTerminal,
    SuspendInstitution,
    SuspendTerminal,
)
from card_core.kernel.acts.issuer_keys import (
    ActivateIssuerKey,
    EndIssuerKey,
    RegisterIssuerKey,
    RevocationCause,
    RevokeIssuerKey,
)
from card_core.kernel.acts.life_events import (
    ApplyForLifeEvent,
    DecideLifeEvent,
    ServeLifeEvent,
)
from card_core.kernel.acts.maker_returns import (
    CardReturned,
    CloseMakerReturn,
    OpenMakerReturn,
    TakeMakerReturn,
)
from card_core.kernel.acts.makers import (
    ChangeMakerKey,
    RegisterMaker,
    ReinstateMaker,
    SuspendMaker,
)
from card_core.kernel.acts.making import (
    ChunkSignature,
    KeepChunkSignatures,
    OrderMaking,
    PrepareMakingChunk,
    SendMakerFile,
    WithdrawOrder,
)
from card_core.kernel.acts.offline_scans import RecordOfflineScans, Uploaded
from card_core.kernel.acts.online_access import (
    ActivateOnline,
    ChangeHolderPassword,
    ResetPassword,
)
from card_core.kernel.acts.operators import (
    AddOperator,
    ChangeRoles,
    NewOperator,
    ResetOperator,
    SuspendOperator,
)
from card_core.kernel.acts.own_access import ChangePassword, EnrolFactor
from card_core.kernel.acts.peer_lists import TakePeerList
from card_core.kernel.acts.person_checks import DecidePersonCheck, StartPersonCheck
from card_core.kernel.acts.printed_codes import PrintCode
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason, ReplaceCard
from card_core.kernel.acts.restores import ResumeFromBackup
from card_core.kernel.acts.retention import (
    EraseHolder,
    EraseLapsedHolder,
    ForgetApprovals,
    ForgetRefused,
    SetRetentionPolicy,
)
from card_core.kernel.acts.reversals import ReverseScan
from card_core.kernel.acts.scan_reports import ReportScan
from card_core.kernel.acts.sessions import SignIn, SignOut
from card_core.kernel.acts.set_up import (
    EnsureBoxKey,
    SetUpFirstOperators,
    SetUpIssuer,
)
from card_core.kernel.acts.status import (
    PrepareBundle,
    PrepareStatusList,
    PublishBundle,
    PublishStatusList,
    SetOfflinePolicy,
)
from card_core.kernel.acts.stock import ImportStock, ReleaseStock, TakeOverChunk
from card_core.kernel.acts.taking_in import BatchFilings, IssueAtOnce
from card_core.kernel.acts.trust import ImportTrustList, PinTrustAuthority
from card_core.kernel.acts.visits import EndVisit
from card_core.kernel.applicants import as_known
from card_core.kernel.permissions import ACTS, RULES, is_dangerous
from card_core.kernel.second_factor import Proof
from card_core.life_events import LifeEvent
from card_core.store import cards, sessions
from card_core.store.credentials import SubjectKind
from card_core.store.devices import Grade
from card_core.store.epochs import Node
from card_core.store.family_members import Relation
from card_core.store.operator_factors import FactorKind
from card_core.store.operators import Role
from card_core.store.person_checks import CheckPurpose, Claim
from card_core.store.reversals import ReversalKind
from card_core.store.sessions import Session
from crypto import sm2

NOBODY = "f" * 32
ID = "0" * 32


# maker, checker, administrator, security, auditor, holder, terminal, system: who may do it, or
# propose it. Nobody changes a password without a session that was just opened.
def empty_list(bureau: Bureau) -> bytes:
    """A trust list of this bureau's own."""
    own = bureau.keys.make(key_name(KeyPurpose.TRUST_LIST, ISSUER, 1))
    point = own.public_key.to_bytes(compressed=True)
    bureau.perform(RegisterIssuerKey(ISSUER, 1, point, KeyPurpose.TRUST_LIST), SYSTEM)
    return document(bureau.clock(), signer=own)


def own_next_card(bureau: Bureau, person: Person) -> Application:
    """An exchange of the person's own card, as the holder base knows them."""
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
        assert card is not None
        return as_known(tx, card, ApplicationKind.EXCHANGE)


def sample_acts(bureau: Bureau, person: Person) -> dict[str, Act]:
    key = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    hashed = bureau.hash("a password")
    new = NewOperator("new", "新人", frozenset({Role.MAKER}), hashed)
    phone = Phone(Grade.BROWSER)
    challenge, day = bytes(32), datetime(2026, 3, 2, 16, tzinfo=UTC)
    admins = tuple(
        NewOperator(role.value, role.value, frozenset({role}), hashed)
        for role in (Role.ADMINISTRATOR, Role.SECURITY)
    )
    own = phone.public_key
    hospital = bureau.hospital
    acts: list[Act] = [
        ActivateCard(person.card_id, Evidence.IDENTITY_DOCUMENT),
        ActivateECard(person.card_id, hashed),
        AddOperator(new),
        ApplyForLifeEvent(LifeEvent.FIRST_JOB, "名册", bytes(32), (make_application(78),)),
        ServeLifeEvent(LifeEvent.RETIREMENT, person.card_id),
        DecideLifeEvent(LifeEvent.DEATH, person.card_id),
        CancelCard(person.card_id, CancelReason.DEATH),
        CorrectHolder(person.holder_id, "新名", None, HolderEvidence.POLICE_CERTIFICATE, bytes(32)),
        MergeHolders(person.holder_id, ID, HolderEvidence.IDENTITY_DOCUMENT, bytes(32)),
        LapseTemporaryLoss(person.card_id),
        WithdrawFormalLoss(person.card_id),
        LockCard(person.card_id),
        UnlockCard(person.card_id, Evidence.IDENTITY_DOCUMENT),
        SealCard(person.card_id, SealReason.BY_ORDER),
        UnsealCard(person.card_id),
        ReplaceCard(person.card_id, CardNumberKept.NEW),
        ExchangeCard(person.card_id, ExchangeReason.DAMAGED, CardNumberKept.NEW),
        SuspendECard(person.card_id),
        ResumeECard(person.card_id),
        CancelECard(person.card_id),
        SetCardPolicy(10, False, CardNumberKept.NEW, CardNumberKept.SAME),
        CloseEpoch(0, 1, "tests"),
        OpenEpoch(1, 1, "0" * 16, (Node("a", "b"),), 60, bureau.clock()),
        GrantBuckets(1, 0, 60),
        DesignateInstitution("H44060499999", "新机构", "hospital", "440604"),
        ChangeBusinessTypes("H44060400001", frozenset({"01101"})),
        PrepareEnrolment((7).to_bytes(8), "H44060400001", "7KQMX", bytes(32)),
        WithdrawEnrolment((7).to_bytes(8)),
        EnrolTerminal((7).to_bytes(8), "7KQMX", bytes(32), key),
        RotateTerminalKey(key, hospital.public_key),
        RevokeTerminalKeys(hospital.serial_number),
        EndVisit(ID),
        ReportScan(ID),
        SetConsent(DataUse.SCAN_MESSAGES, given=True),
        EnsureBoxKey(date(2026, 3, 2), bytes(44)),
        ImportRoster("名册", bytes(32), (make_application(77),), 0),
        OpenImport("名册", bytes(32)),
        ImportRows(ID, (make_application(79),)),
        CloseImport(ID, 0),
        DropImport(ID),
        IssueChunk(ID, 1),
        PauseBatch(ID),
        ResumeBatch(ID),
        CancelBatch(ID),
        RegisterMaker("M01", "卡商", key),
        ChangeMakerKey("M01", key),
        SuspendMaker("M01"),
        ReinstateMaker("M01"),
        SendToBank(ID, "102", 1, bytes(32)),
        OpenBankReturn(ID, "102", bytes(32)),
        CloseBankReturn(ID, "102", bytes(32)),
        TakeBankReturn(ID, "102", bytes(32), (AccountReturned(1, "GD0000001", "1234", None),)),
        OrderMaking(bureau.import_roster([make_application(79)])["batch_id"], "M01", 1),
        PrepareMakingChunk(ID),
        KeepChunkSignatures(ID, (ChunkSignature(1, bytes(64)),)),
        SendMakerFile(ID, bytes(32)),
        WithdrawOrder(ID),
        OpenMakerReturn(ID, bytes(32)),
        TakeMakerReturn(ID, bytes(32), (CardReturned(1, "GD0000001", None, "01"),)),
        CloseMakerReturn(ID, bytes(32)),
        ReworkCards(ID),
        DispatchCards(ID, "440604015"),
        HandOverCard(person.card_id),
        FileApplication(own_next_card(bureau, person), MakingMode.AT_ONCE),
        AcceptFiling(ID),
        RefuseFiling(ID, RefusalReason.DATA_WRONG),
        WithdrawFiling(ID),
        BatchFilings("窗口"),
        IssueAtOnce(ID),
        OrderAtOnce(ID, "M01"),
        ReceiveBlanks("440604001", 1),
        SpoilBlanks("440604001", 1, SpoilReason.DAMAGED, 1),
        BindGuardian(person.holder_id, ID, FilingEvidence.HOUSEHOLD_REGISTER, "户 1"),
        EndGuardianship(ID),
        OfferECard(),
        TakeECard(bytes(32), Relation.SPOUSE),
        ShowWard(ID),
        EndFamilyMember(ID),
        ImportStock("存量卡", bytes(32), (), 0),
        ReleaseStock(ID, bytes(32)),
        TakeOverChunk(ID, 1),
        IssueDeviceCredentials(
            ID, phone.public_key, challenge, *phone.asks_for(ID, challenge, [day]), 1
        ),
        PrepareBundle(1, 1),
        PrintCode("0" * 64),
        PrepareStatusList(1, 1, day),
        PublishBundle(1, 1, bytes(64)),
        PublishStatusList(1, day, 1, bytes(64)),
        TakePeerList(2, day, bytes(64)),
        KeepCheckpoint(bytes(1), bytes(64)),
        ActivateFieldKey(2, bytes(16)),
        DestroyFieldKey(1),
        ResealFields("holders"),
        ExportHolder(person.holder_id),
        EraseHolder(person.holder_id),
        EraseLapsedHolder(person.holder_id),
        ForgetApprovals(),
        ForgetRefused(),
        SetRetentionPolicy(3650, 365, 730),
        ResumeFromBackup(bureau.clock()),
        RegisterDevice(phone.grade, phone.public_key, challenge, phone.registers(challenge)),
        RemoveDevice(ID),
        SetOfflinePolicy(consumes=True, count_max=1, amount_fen_max=1),
        RegisterIssuerKey(ISSUER, 9, key),
        ActivateIssuerKey(KeyPurpose.CODE_SIGNING, 9),
        EndIssuerKey(KeyPurpose.CODE_SIGNING, KEY_NUMBER),
        RevokeIssuerKey(KeyPurpose.CODE_SIGNING, 9, RevocationCause.PRECAUTION),
        PinTrustAuthority(key),
        ImportTrustList(empty_list(bureau)),
        ReinstateInstitution("H44060400001"),
        ReinstateTerminal(hospital.serial_number),
        ReleaseBatch(ID, bytes(32)),
        ReportFormalLoss(person.card_id),
        ReportTemporaryLoss(person.card_id),
        RecordOfflineScans(
            (Uploaded("r", 1, bureau.clock(), "01101", None, bytes(32), bytes(64), False),)
        ),
        ReverseScan(ID, ReversalKind.VOID),
        SetUpFirstOperators(admins),
        SetUpIssuer(2, "XX", "另一机构"),
        SignIn(SubjectKind.HOLDER, bytes(32), None, bytes(32), False, bytes(32)),
        SignOut(bytes(32)),
        SuspendInstitution("H44060400001"),
        SuspendOperator("auditor"),
        ChangeRoles("auditor", frozenset({Role.CHECKER})),
        ResetOperator("auditor", hashed),
        ChangePassword(bytes(32), hashed),
        StartPersonCheck(
            "0" * 64, CheckPurpose.ACTIVATE, Claim(person.number, "王", "FS0000001"), "r", "p", {}
        ),
        DecidePersonCheck("0" * 64, passed=True),
        ActivateOnline("0" * 64, hashed),
        ResetPassword("0" * 64, hashed),
        ChangeHolderPassword(own_session(bureau, person), hashed),
        ExportAuditLog(1, bytes(32)),
        EnrolFactor(
            bytes(32),
            None,
            0,
            False,
            bytes(32),
            hashed,
            FactorKind.SM2,
            own,
            None,
            Proof(FactorKind.SM2, bytes(64)),
        ),
        SuspendTerminal(hospital.serial_number),
        WithdrawTemporaryLoss(person.card_id),
    ]
    return {act.act: act for act in acts}


def own_session(bureau: Bureau, person: Person) -> bytes:
    """Of one who has just signed in; its digest."""
    now = bureau.clock()
    opened = Session(SubjectKind.HOLDER, person.holder_id, now, now, now + timedelta(hours=1))
    with bureau.store.write() as tx:
        sessions.add(tx, b"\1" * 32, opened)
    return b"\1" * 32


def test_the_matrix_and_the_samples_cover_every_act(bureau: Bureau) -> None:
    assert set(MATRIX) == set(ACTS) == set(sample_acts(bureau, bureau.person()))


def test_acts_are_dangerous_exactly_where_somebody_approves_them() -> None:
    for act, rule in RULES.items():
        assert is_dangerous(act) == bool(rule.approvers), act
    assert {act.act for act in RULES if is_dangerous(act)} == set(APPROVERS)


@pytest.mark.parametrize("name", sorted(MATRIX))
def test_an_act_is_open_to_whom_the_matrix_names_and_to_nobody_else(
    bureau: Bureau, name: str
) -> None:
    person = bureau.person()
    act = sample_acts(bureau, person)[name]
    actors = {
        "maker": bureau.maker,
        "checker": bureau.checker,
        "administrator": bureau.administrator,
        "security": bureau.security,
        "auditor": bureau.auditor,
        "holder": person.actor,
        "terminal": terminal_actor(bureau.hospital),
        "system": SYSTEM,
        "stranger": Actor(ActorKind.OPERATOR, NOBODY),
        "strange terminal": Actor(ActorKind.TERMINAL, NOBODY),
        "strange holder": Actor(ActorKind.HOLDER, NOBODY),
    }
    # Strangers and whoever may not come first: whoever may could change what the next one finds.
    for who in sorted(actors, key=lambda one: one in MATRIX[name].split()):
        outcome = attempt(bureau, act, actors[who])
        if who in MATRIX[name].split():
            assert outcome is not NotAllowedError, who
        else:
            assert outcome in {NotAllowedError, ApprovalNeededError}, who


def attempt(bureau: Bureau, act: Act, actor: Actor) -> type[CardCoreError] | None:
    """What stops the act: a lack of right, or, behind that, something else or nothing."""
    try:
        if isinstance(act, DangerousAct):
            bureau.kernel.propose(act, actor=actor, request_id=bureau.request_id())
        else:
            bureau.perform(act, actor)
    except CardCoreError as error:
        return type(error)
    return None


@pytest.mark.parametrize("name", sorted(APPROVERS))
def test_nobody_does_a_dangerous_act_alone(bureau: Bureau, name: str) -> None:
    person = bureau.person()
    act = sample_acts(bureau, person)[name]
    administration = (bureau.administrator, bureau.security, bureau.auditor)
    operators = (bureau.maker, bureau.checker, *administration)
    for actor in (*operators, SYSTEM, person.actor):
        with pytest.raises(ApprovalNeededError):
            bureau.perform(act, actor)


@pytest.mark.parametrize("name", sorted(APPROVERS))
def test_the_matrix_of_approvers_holds(name: str) -> None:
    assert {role.value for role in RULES[ACTS[name]].approvers} == set(APPROVERS[name].split())
