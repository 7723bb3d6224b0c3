"""Which keys a terminal believes by its bundle: the issuer's own, and those of other issuers.

Other issuers are in trust lists, which the bundle carries as their authority signed them. Time goes
on while a terminal has no network: a key whose overlap is over and a trust list that has expired
are believed no more, whatever the bundle said when it was made.
"""

from collections.abc import Iterator
from datetime import datetime

from card_core import trust
from card_core.bundles.signed import Bundle
from card_core.codes import CodeKey, key_life
from card_core.trust import TrustList, TrustListRefusedError


def open_trust_lists(bundle: Bundle) -> tuple[TrustList, ...]:
    """The bundle's trust lists whose authority signed them; one that doesn't hold is left out, and
    its issuers with it."""
    return tuple(_genuine(bundle))


def believed_keys(
    bundle: Bundle, trusted: tuple[TrustList, ...], now: datetime
) -> tuple[CodeKey, ...]:
    """Each key in the state in which it is to be believed now, revoked ones too.

    trusted: of `open_trust_lists`. What a trust list says of the bundle's own issuer is passed
    over: its keys are in the bundle.
    """
    own = [key_life.at(key, now) for key in bundle.content.keys]
    known = {key.public_key for key in own}
    others = [
        key
        for trust_list in trusted
        if now < trust_list.expires_at
        for key in trust_list.code_keys(now)
        if key.issuer != bundle.head.issuer and key.public_key not in known
    ]
    return (*own, *others)


def _genuine(bundle: Bundle) -> Iterator[TrustList]:
    for document in bundle.content.trust_lists:
        try:
            yield trust.verify(document, bundle.content.trust_authorities)
        except TrustListRefusedError:
            continue
