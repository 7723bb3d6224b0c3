"""What a service channel asks: 1 which channel it is, by its signature, whose nonce is spent ·
2 the holder's session at it · 3 the act, in whose transaction channel and holder are read anew.
"""

from typing import Final, TypeVar

from pydantic import BaseModel

from card_core import sign_in
from card_core.codes import picture
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.permissions import CHANNEL_ERRANDS
from card_core.service_channels import ATTENDED, SHOWING_APPLICATIONS
from scan_api import problems
from scan_api.bodies import check_media_type, parse_body
from scan_api.channels.models import (
    CardLost,
    ChannelLossReport,
    ChannelSession,
    ChannelSessionEnd,
    ChannelSessionEnded,
    ChannelSignIn,
    ChannelView,
    PrintedCode,
    PrintRequest,
    ProgressRequest,
)
from scan_api.holders.acts import card_id_of
from scan_api.holders.application_models import Applications
from scan_api.holders.applications import list_applications
from scan_api.holders.views import view_card
from scan_api.problems import ProblemError
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.terminals.authentication import Caller

SEE_APPLICATIONS: Final = "see_applications"

_Asked = TypeVar("_Asked", bound=BaseModel)


def view_channel(services: Services, signed: SignedRequest) -> ChannelView:
    """Raises: ProblemError, ReplayedRequestError."""
    caller = _caller(services, signed)
    terminal, institution = caller.terminal, caller.institution
    if terminal.channel is None:
        raise ProblemError(problems.NOT_ALLOWED)
    kind = terminal.channel
    rights = {act.act for act in CHANNEL_ERRANDS[kind]}
    if kind in SHOWING_APPLICATIONS:
        rights.add(SEE_APPLICATIONS)
    return ChannelView(
        serial_number=terminal.serial_number.hex(),
        kind=kind,
        is_attended=kind in ATTENDED,
        institution_code=institution.code,
        institution_name=institution.name,
        rights=sorted(rights),
        server_time=services.clock(),
    )


def open_session(services: Services, signed: SignedRequest, content_type: str) -> ChannelSession:
    """Raises: ProblemError, SignInRefusedError, SignInLockedError."""
    caller, asked = asked_of(services, signed, content_type, ChannelSignIn)
    opened = sign_in.sign_in_holder(
        services.kernel,
        asked.social_security_number,
        asked.password,
        pepper=services.pepper,
        profile=services.profile,
        channel_id=caller.terminal.id,
    )
    card = view_card(services, opened.actor)
    return ChannelSession(
        session=opened.token,
        expires_at=opened.expires_at,
        name=card.name,
        card_state=card.card_state,
        e_card_state=card.e_card_state,
        server_time=services.clock(),
    )


def end_session(
    services: Services, signed: SignedRequest, content_type: str
) -> ChannelSessionEnded:
    """One that has ended already stays so. Raises: ProblemError."""
    caller, asked = asked_of(services, signed, content_type, ChannelSessionEnd)
    sign_in.sign_out(services.kernel, asked.session, channel_id=caller.terminal.id)
    return ChannelSessionEnded(ended_at=services.clock())


def report_loss(services: Services, signed: SignedRequest, content_type: str) -> CardLost:
    """When this returns, no code of the card is accepted any more.

    Raises: ProblemError, SessionEndedError, KernelError.
    """
    caller, asked = asked_of(services, signed, content_type, ChannelLossReport)
    holder = _holder(services, caller, asked.session)
    act = ReportTemporaryLoss(card_id_of(services, holder))
    answer = services.kernel.perform(act, actor=holder, request_id=asked.request_id)
    return CardLost(card_state=answer["card_state"], loss_lapses_at=answer["loss_lapses_at"])


def see_applications(services: Services, signed: SignedRequest, content_type: str) -> Applications:
    """Those of whoever stands before the channel. Raises: ProblemError, SessionEndedError."""
    caller, asked = asked_of(services, signed, content_type, ProgressRequest)
    if caller.terminal.channel not in SHOWING_APPLICATIONS:
        raise ProblemError(problems.NOT_ALLOWED)
    return list_applications(services, _holder(services, caller, asked.session))


def print_code(services: Services, signed: SignedRequest, content_type: str) -> PrintedCode:
    """Raises: ProblemError, SessionEndedError, CardUnusableError, KernelError."""
    caller, asked = asked_of(services, signed, content_type, PrintRequest)
    text, valid_until = services.printed_codes.print(_holder(services, caller, asked.session))
    return PrintedCode(
        text=text,
        picture_svg=picture.to_svg(text),
        bars_svg=picture.bars_to_svg(text),
        valid_until=valid_until,
        server_time=services.clock(),
    )


def _caller(services: Services, signed: SignedRequest) -> Caller:
    """Whatever comes of the request, the same one is not taken again.

    Raises: ProblemError, ReplayedRequestError.
    """
    caller = services.authentication.authenticate_channel(signed, services.clock())
    services.kernel.spend_proof(caller.require_signature(), actor=caller.actor)
    return caller


def asked_of(
    services: Services, signed: SignedRequest, content_type: str, model: type[_Asked]
) -> tuple[Caller, _Asked]:
    """Which channel asks, and what. Raises: ProblemError, ReplayedRequestError."""
    caller = _caller(services, signed)
    check_media_type(content_type)
    return caller, parse_body(model, signed.body)


def _holder(services: Services, caller: Caller, token: str) -> Actor:
    """Who stands before this channel. Raises: SessionEndedError."""
    actor = sign_in.authenticate(services.kernel, token, channel_id=caller.terminal.id)
    if actor.kind is not ActorKind.HOLDER:
        raise ProblemError(problems.SIGN_IN_NEEDED)
    return actor
