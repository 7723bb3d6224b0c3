"""The holder's session: a token in a cookie that no script can read, its digest in the store."""

from starlette.requests import Request
from starlette.responses import Response

from card_core import sign_in
from card_core.errors import SessionEndedError, SignInRefusedError
from card_core.kernel import Actor, ActorKind
from card_core.sign_in import SignedIn
from card_core.store import holders
from scan_api.services import Services

COOKIE = "sscard_holder"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def open_session(services: Services, social_security_number: str, password: str) -> SignedIn:
    """Raises: SignInRefusedError, SignInLockedError."""
    return sign_in.sign_in_holder(
        services.kernel,
        social_security_number,
        password,
        pepper=services.pepper,
        profile=services.profile,
    )


def current_holder(services: Services, request: Request) -> Actor:
    """Who the request's cookie belongs to. Raises: SessionEndedError."""
    actor = sign_in.authenticate(services.kernel, request.cookies.get(COOKIE, ""))
    # An operator's token in this cookie is not a holder's, whatever it may do elsewhere.
    if actor.kind is not ActorKind.HOLDER:
        raise SessionEndedError
    return actor


def challenge(services: Services, request: Request) -> bytes:
    """32 bytes that belong to this session alone: what a phone signs to prove its keys in it.

    They are the same as long as the session lasts: what was signed over them serves nobody else,
    and within the session a second time for nothing new.
    """
    token = request.cookies.get(COOKIE, "").encode()
    return services.store.cipher.keyed_digest([b"device challenge", token])


def check_password(services: Services, holder: Actor, password: str) -> None:
    """Ask for the password again within a session; failures count towards the same lock.

    Raises: SignInRefusedError, SignInLockedError.
    """
    with services.store.read() as tx:
        number = holders.identity_of(tx, holder.id).social_security_number
    opened = open_session(services, number, password)
    sign_in.sign_out(services.kernel, opened.token)
    if opened.actor != holder:
        raise SignInRefusedError


def close_session(services: Services, request: Request) -> None:
    """End the session of the request's cookie, if there is one."""
    sign_in.sign_out(services.kernel, request.cookies.get(COOKIE, ""))


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Until the browser ends; the store ends the session earlier when it is idle."""
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        secure=_is_beyond_this_machine(request),
        httponly=True,
        samesite="strict",
    )


def take_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        COOKIE,
        path="/",
        secure=_is_beyond_this_machine(request),
        httponly=True,
        samesite="strict",
    )


def _is_beyond_this_machine(request: Request) -> bool:
    """TLS ends at a proxy, so the scheme tells nothing; without TLS only loopback is served."""
    return request.url.hostname not in LOOPBACK
