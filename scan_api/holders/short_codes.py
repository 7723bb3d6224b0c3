"""A short code beside a long one, where the holder asks for it."""

from card_core.codes import picture
from card_core.kernel import Actor
from card_core.minting import MintedCode
from scan_api.holders.models import ShownShortCode
from scan_api.services import Services


def name_code(services: Services, holder: Actor, minted: MintedCode) -> ShownShortCode:
    """Raises: TooManyShortCodesError, StoreError."""
    text = services.short_codes.name(minted.text, holder_id=holder.id, minted_at=minted.minted_at)
    return ShownShortCode(text=text, picture_svg=picture.bars_to_svg(text))
