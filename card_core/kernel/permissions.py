"""Who may do, propose and approve each act: the one table.

    maker 经办          prepares: rosters, cards, losses, and proposes what is dangerous
    checker 复核        approves
    administrator 系统管理员  prepares: operators, institutions, terminals, keys, policies
    security 安全管理员   approves who works here, and with a checker keys and policies
    auditor 审计管理员    reads the audit log; changes nothing, sees no personal data
    clerk 渠道经办        serves people at a service channel (a bank's counter); nothing elsewhere

Administrator, security and auditor each stand alone (`store.operators.ALONE`): nobody has one of
them and another role.

A dangerous act (`DangerousAct`) has approvers; nobody does it alone, whatever their roles, and
nobody approves what they proposed themselves.

At a service channel there is what its kind may (`CHANNEL_RIGHTS`) and nothing else: by holders and
the system with the right that they have anywhere, by operators with the role `clerk` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from card_core.kernel.act import Act, DangerousAct
from card_core.kernel.actors import ActorKind
from card_core.kernel.acts.at_once import OrderAtOnce, ReceiveBlanks, SpoilBlanks
from card_core.kernel.acts.audit_exports import ExportAuditLog
from card_core.kernel.acts.banking import (
    CloseBankReturn,
    OpenBankReturn,
    SendToBank,
    TakeBankReturn,
)
from card_core.kernel.acts.batch_control import CancelBatch, PauseBatch, ResumeBatch
from card_core.kernel.acts.batches import ImportRoster, IssueChunk, ReleaseBatch
from card_core.kernel.acts.card_locks import LockCard, SealCard, UnlockCard, UnsealCard
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
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
from card_core.kernel.acts.families import (
    EndFamilyMember,
    OfferECard,
    ShowWard,
    TakeECard,
)
from card_core.kernel.acts.field_keys import ActivateFieldKey, DestroyFieldKey, ResealFields
from card_core.kernel.acts.filings import (
    AcceptFiling,
    FileApplication,
    RefuseFiling,
    WithdrawFiling,
)
from card_core.kernel.acts.guardians import BindGuardian, EndGuardianship
from card_core.kernel.acts.handing_over import DispatchCards, HandOverCard, ReworkCards
from card_core.kernel.acts.holder_base import CorrectHolder, MergeHolders
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
    RevokeIssuerKey,
)
from card_core.kernel.acts.life_events import (
    ApplyForLifeEvent,
    DecideLifeEvent,
    ServeLifeEvent,
)
from card_core.kernel.acts.maker_returns import (
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
    KeepChunkSignatures,
    OrderMaking,
    PrepareMakingChunk,
    SendMakerFile,
    WithdrawOrder,
)
from card_core.kernel.acts.offline_scans import RecordOfflineScans
from card_core.kernel.acts.online_access import (
    ActivateOnline,
    ChangeHolderPassword,
    ResetPassword,
)
from card_core.kernel.acts.operators import (
    AddOperator,
    ChangeRoles,
    ResetOperator,
    SuspendOperator,
)
from card_core.kernel.acts.own_access import ChangePassword, EnrolFactor
from card_core.kernel.acts.peer_lists import TakePeerList
from card_core.kernel.acts.person_checks import DecidePersonCheck, StartPersonCheck
from card_core.kernel.acts.printed_codes import PrintCode
from card_core.kernel.acts.replacements import ExchangeCard, ReplaceCard
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
from card_core.service_channels import ATTENDED, ChannelKind
from card_core.store.operators import Role


@dataclass(frozen=True, slots=True)
class Rule:
    """roles: operators with one of these do the act, or propose it if it is dangerous.

    approvers: operators with one of these approve it. others: kinds of actor besides operators
    that do it alone.
    """

    roles: frozenset[Role] = frozenset()
    approvers: frozenset[Role] = frozenset()
    others: frozenset[ActorKind] = frozenset()


_MAKER = frozenset({Role.MAKER})
_CHECKER = frozenset({Role.CHECKER})
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_MAKER_OR_ADMINISTRATOR = _MAKER | _ADMINISTRATOR
_CHECKER_OR_ADMINISTRATOR = _CHECKER | _ADMINISTRATOR
_SECURITY = frozenset({Role.SECURITY})
_AUDITOR = frozenset({Role.AUDITOR})
_CHECKER_OR_SECURITY = _CHECKER | _SECURITY
_WHO_WORKS = _MAKER | _CHECKER | _ADMINISTRATOR
_EVERYBODY = frozenset(Role)
_SYSTEM = frozenset({ActorKind.SYSTEM})
_HOLDER = frozenset({ActorKind.HOLDER})
_TERMINAL = frozenset({ActorKind.TERMINAL})
_CHANNEL = frozenset({ActorKind.CHANNEL})

RULES: Mapping[type[Act], Rule] = MappingProxyType(
    {
        SetUpIssuer: Rule(others=_SYSTEM),
        SetUpFirstOperators: Rule(others=_SYSTEM),
        RegisterIssuerKey: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY, _SYSTEM),
        ActivateIssuerKey: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        EndIssuerKey: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        RevokeIssuerKey: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        PinTrustAuthority: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY, _SYSTEM),
        ImportTrustList: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        EnsureBoxKey: Rule(others=_SYSTEM),
        AddOperator: Rule(_ADMINISTRATOR, _SECURITY, _SYSTEM),
        SuspendOperator: Rule(_ADMINISTRATOR, _SECURITY),
        ChangeRoles: Rule(_ADMINISTRATOR, _SECURITY),
        ResetOperator: Rule(_ADMINISTRATOR, _SECURITY),
        DesignateInstitution: Rule(_MAKER_OR_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        SuspendInstitution: Rule(_WHO_WORKS),
        ReinstateInstitution: Rule(_MAKER_OR_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        ChangeBusinessTypes: Rule(_MAKER_OR_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        PrepareEnrolment: Rule(_MAKER_OR_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        WithdrawEnrolment: Rule(_WHO_WORKS),
        EnrolTerminal: Rule(others=_SYSTEM),
        RotateTerminalKey: Rule(others=_TERMINAL | _CHANNEL),
        RevokeTerminalKeys: Rule(_WHO_WORKS),
        SuspendTerminal: Rule(_WHO_WORKS),
        ReinstateTerminal: Rule(_MAKER_OR_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        ImportRoster: Rule(_MAKER),
        OpenImport: Rule(_MAKER),
        ImportRows: Rule(_MAKER),
        CloseImport: Rule(_MAKER),
        DropImport: Rule(_MAKER),
        ReleaseBatch: Rule(_MAKER, _CHECKER),
        IssueChunk: Rule(_MAKER),
        FileApplication: Rule(_MAKER, others=_HOLDER),
        AcceptFiling: Rule(_CHECKER),
        RefuseFiling: Rule(_CHECKER),
        WithdrawFiling: Rule(_MAKER, others=_HOLDER),
        BatchFilings: Rule(_MAKER),
        IssueAtOnce: Rule(_MAKER),
        OrderAtOnce: Rule(_MAKER),
        ReceiveBlanks: Rule(_MAKER, _CHECKER),
        SpoilBlanks: Rule(_MAKER, _CHECKER),
        BindGuardian: Rule(_MAKER, _CHECKER),
        EndGuardianship: Rule(_MAKER, others=_HOLDER),
        OfferECard: Rule(others=_HOLDER),
        TakeECard: Rule(others=_HOLDER),
        ShowWard: Rule(others=_HOLDER),
        EndFamilyMember: Rule(_MAKER, others=_HOLDER),
        PauseBatch: Rule(_MAKER | _CHECKER),
        ResumeBatch: Rule(_MAKER | _CHECKER),
        CancelBatch: Rule(_MAKER, _CHECKER),
        RegisterMaker: Rule(_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        ChangeMakerKey: Rule(_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        SuspendMaker: Rule(_WHO_WORKS),
        ReinstateMaker: Rule(_ADMINISTRATOR, _CHECKER_OR_ADMINISTRATOR),
        SendToBank: Rule(_MAKER),
        OpenBankReturn: Rule(_MAKER),
        TakeBankReturn: Rule(_MAKER),
        CloseBankReturn: Rule(_MAKER),
        OrderMaking: Rule(_MAKER, _CHECKER),
        PrepareMakingChunk: Rule(_MAKER),
        KeepChunkSignatures: Rule(_MAKER),
        SendMakerFile: Rule(_MAKER),
        WithdrawOrder: Rule(_MAKER),
        OpenMakerReturn: Rule(_MAKER),
        TakeMakerReturn: Rule(_MAKER),
        CloseMakerReturn: Rule(_MAKER),
        ReworkCards: Rule(_MAKER),
        DispatchCards: Rule(_MAKER),
        HandOverCard: Rule(_MAKER),
        ActivateCard: Rule(_MAKER),
        ActivateECard: Rule(_MAKER),
        ReportTemporaryLoss: Rule(_MAKER, others=_HOLDER),
        WithdrawTemporaryLoss: Rule(_MAKER, others=_HOLDER),
        LapseTemporaryLoss: Rule(others=_SYSTEM),
        ReportFormalLoss: Rule(_MAKER),
        WithdrawFormalLoss: Rule(_MAKER, _CHECKER),
        LockCard: Rule(_MAKER),
        UnlockCard: Rule(_MAKER),
        SealCard: Rule(_MAKER, _CHECKER),
        UnsealCard: Rule(_MAKER, _CHECKER),
        ReplaceCard: Rule(_MAKER, _CHECKER),
        ExchangeCard: Rule(_MAKER, _CHECKER),
        CancelCard: Rule(_MAKER, _CHECKER),
        ImportStock: Rule(_MAKER),
        ReleaseStock: Rule(_MAKER, _CHECKER),
        TakeOverChunk: Rule(_MAKER),
        MergeHolders: Rule(_MAKER, _CHECKER),
        CorrectHolder: Rule(_MAKER, _CHECKER),
        SetRetentionPolicy: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        EraseHolder: Rule(_MAKER, _CHECKER),
        EraseLapsedHolder: Rule(others=_SYSTEM),
        ForgetRefused: Rule(others=_SYSTEM),
        ForgetApprovals: Rule(others=_SYSTEM),
        ExportHolder: Rule(_MAKER, others=_HOLDER),
        SuspendECard: Rule(_MAKER, others=_HOLDER),
        ResumeECard: Rule(_MAKER),
        CancelECard: Rule(_MAKER, _CHECKER),
        SetCardPolicy: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        ApplyForLifeEvent: Rule(_MAKER),
        ServeLifeEvent: Rule(_MAKER),
        DecideLifeEvent: Rule(_MAKER, _CHECKER),
        CloseEpoch: Rule(others=_SYSTEM),
        OpenEpoch: Rule(others=_SYSTEM),
        GrantBuckets: Rule(others=_SYSTEM),
        ReverseScan: Rule(others=_TERMINAL),
        RecordOfflineScans: Rule(others=_TERMINAL),
        EndVisit: Rule(others=_HOLDER),
        ReportScan: Rule(others=_HOLDER),
        PrintCode: Rule(others=_HOLDER),
        SetConsent: Rule(others=_HOLDER),
        RegisterDevice: Rule(others=_HOLDER),
        RemoveDevice: Rule(_MAKER, others=_HOLDER),
        IssueDeviceCredentials: Rule(others=_HOLDER),
        PrepareStatusList: Rule(others=_SYSTEM),
        PublishStatusList: Rule(others=_SYSTEM),
        PrepareBundle: Rule(others=_SYSTEM),
        PublishBundle: Rule(others=_SYSTEM),
        TakePeerList: Rule(others=_SYSTEM),
        KeepCheckpoint: Rule(others=_SYSTEM),
        ActivateFieldKey: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        DestroyFieldKey: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        ResealFields: Rule(others=_SYSTEM),
        ResumeFromBackup: Rule(others=_SYSTEM),
        SetOfflinePolicy: Rule(_ADMINISTRATOR, _CHECKER_OR_SECURITY),
        SignIn: Rule(others=_SYSTEM),
        StartPersonCheck: Rule(others=_SYSTEM),
        DecidePersonCheck: Rule(others=_SYSTEM),
        ActivateOnline: Rule(others=_SYSTEM),
        ResetPassword: Rule(others=_SYSTEM),
        ChangeHolderPassword: Rule(others=_HOLDER),
        ExportAuditLog: Rule(_AUDITOR),
        EnrolFactor: Rule(others=_SYSTEM),
        ChangePassword: Rule(_EVERYBODY),
        SignOut: Rule(_EVERYBODY, others=_HOLDER),
    }
)


# What people come to each kind of service channel for.
CHANNEL_ERRANDS: Mapping[ChannelKind, frozenset[type[Act]]] = MappingProxyType(
    {
        ChannelKind.KIOSK: frozenset({ReportTemporaryLoss, PrintCode}),
        ChannelKind.BANK_COUNTER: frozenset({HandOverCard, ActivateCard, ReportTemporaryLoss}),
        ChannelKind.HOME_VISIT: frozenset({ActivateCard, ReportTemporaryLoss, FileApplication}),
    }
)


def _rights(kind: ChannelKind) -> Mapping[type[Act], ActorKind]:
    who = ActorKind.OPERATOR if kind in ATTENDED else ActorKind.HOLDER
    rights: dict[type[Act], ActorKind] = dict.fromkeys(CHANNEL_ERRANDS[kind], who)
    rights[RotateTerminalKey], rights[SignIn] = ActorKind.CHANNEL, ActorKind.SYSTEM
    rights[SignOut] = who
    return MappingProxyType(rights)


# At each kind of service channel: which acts there are, and which kind of actor does them there.
CHANNEL_RIGHTS: Mapping[ChannelKind, Mapping[type[Act], ActorKind]] = MappingProxyType(
    {kind: _rights(kind) for kind in ChannelKind}
)


class Reading(StrEnum):
    """What an operator reads beside what an act answers.

    holders: names and numbers of people, masked or not, and the cards that are theirs.
    figures: how many cards there are of which kind (`card_core.figures`); nothing of a person.
    approvals: what waits for a second person, as far as they may decide it or proposed it.
    places: institutions and their terminals.
    """

    HOLDERS = "holders"
    FIGURES = "figures"
    APPROVALS = "approvals"
    PLACES = "places"


READERS: Mapping[Reading, frozenset[Role]] = MappingProxyType(
    {
        Reading.HOLDERS: _MAKER | _CHECKER,
        Reading.FIGURES: _WHO_WORKS | _AUDITOR,
        Reading.APPROVALS: _WHO_WORKS | _SECURITY,
        Reading.PLACES: _WHO_WORKS,
    }
)

ACTS: Mapping[str, type[Act]] = MappingProxyType({act.act: act for act in RULES})


def is_dangerous(act: type[Act]) -> bool:
    """Whether a second person must approve it: to be given to `propose`, not to `perform`."""
    return issubclass(act, DangerousAct)
