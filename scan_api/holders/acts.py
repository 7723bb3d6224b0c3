"""What a holder does: show a code, report the card lost, take the report back."""

from collections.abc import Callable

from card_core.codes import PurposeClass, picture
from card_core.errors import NotFoundError
from card_core.kernel import Act, Actor
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.acts.scan_reports import ReportScan
from card_core.store import cards
from scan_api.holders import session
from scan_api.holders.idempotency import HeldKey, perform_once
from scan_api.holders.models import (
    CardStateChange,
    LossWithdrawal,
    MintRequest,
    ReportedScan,
    ShownCode,
)
from scan_api.holders.short_codes import name_code
from scan_api.services import Services


def mint_code(services: Services, holder: Actor, request: MintRequest) -> ShownCode:
    """Raises: CardUnusableError, TooManyShortCodesError."""
    purpose_class = PurposeClass[request.purpose_class.upper()]
    minted = services.minter.mint(holder.id, purpose_class=purpose_class)
    return ShownCode(
        text=minted.text,
        picture_svg=picture.to_svg(minted.text),
        minted_at=minted.minted_at,
        expires_at=minted.expires_at,
        server_time=services.clock(),
        short_code=name_code(services, holder, minted) if request.short else None,
    )


def report_loss(services: Services, holder: Actor, held: HeldKey) -> CardStateChange:
    """When this returns, no code of the card is accepted any more. Raises: KernelError."""
    return _change(
        services, holder, held, lambda: ReportTemporaryLoss(card_id_of(services, holder))
    )


def withdraw_loss(
    services: Services, holder: Actor, held: HeldKey, request: LossWithdrawal
) -> CardStateChange:
    """Raises: KernelError, SignInError."""

    def prepare() -> Act:
        session.check_password(services, holder, request.password)
        return WithdrawTemporaryLoss(card_id_of(services, holder))

    return _change(services, holder, held, prepare)


def report_scan(services: Services, holder: Actor, held: HeldKey, scan_id: str) -> ReportedScan:
    """Raises: KernelError."""
    answer = perform_once(services.kernel, held, lambda: ReportScan(scan_id), holder=holder)
    return ReportedScan(**answer)


def _change(
    services: Services, holder: Actor, held: HeldKey, prepare: Callable[[], Act]
) -> CardStateChange:
    answer = perform_once(services.kernel, held, prepare, holder=holder)
    return CardStateChange(card_state=answer["card_state"])


def card_id_of(services: Services, holder: Actor) -> str:
    """The holder's card that is not cancelled. Raises: NotFoundError."""
    with services.store.read() as tx:
        card = cards.live_card_of(tx, holder.id)
    if card is None:
        raise NotFoundError("card")
    return card.id
