"""What a holder does: show a code, report a loss, their own or a ward's, take the report back."""

from collections.abc import Callable

from card_core.codes import PurposeClass, picture
from card_core.errors import NotFoundError
from card_core.kernel import Act, Actor
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.acts.scan_reports import ReportScan
from card_core.store import cards, guardianships
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


def report_ward_loss(
    services: Services, holder: Actor, held: HeldKey, guardianship_id: str
) -> CardStateChange:
    """As `report_loss`, of the card of a child whose guardian the holder is. Raises: KernelError,
    where there is nothing to report one and the same for every reason."""
    return _change(
        services,
        holder,
        held,
        lambda: ReportTemporaryLoss(_ward_card_id(services, holder, guardianship_id)),
    )


def withdraw_ward_loss(
    services: Services,
    holder: Actor,
    held: HeldKey,
    guardianship_id: str,
    request: LossWithdrawal,
) -> CardStateChange:
    """The guardian's own password is asked. Raises: KernelError, SignInError."""

    def prepare() -> Act:
        session.check_password(services, holder, request.password)
        return WithdrawTemporaryLoss(_ward_card_id(services, holder, guardianship_id))

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


def _ward_card_id(services: Services, holder: Actor, guardianship_id: str) -> str:
    """Of a guardianship of this holder's. Whether it is in force the act asks, in its own
    transaction."""
    with services.store.read() as tx:
        bound = guardianships.get(tx, guardianship_id)
        if bound is None or bound.guardian_id != holder.id:
            raise NotFoundError("card")
        card = cards.live_card_of(tx, bound.ward_id)
    if card is None:
        raise NotFoundError("card")
    return card.id
