"""Signing in and out, by a ticket too, and whose session this is."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from card_core.errors import SessionEndedError
from card_core.sign_in import ends_at
from card_core.states import ServiceState
from card_core.store import operators
from issuance.console import models
from issuance.console.cookie import check_same_origin, give_cookie, take_cookie
from issuance.console.entry import PREFIX, Entrance


def routes(entrance: Entrance) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["session"])
    kernel = entrance.kernel

    def view_of(request: Request) -> models.SessionView:
        session = entrance.session(request)
        with kernel.store.read() as tx:
            operator = operators.get(tx, session.subject_id)
        if operator is None or operator.state is not ServiceState.ACTIVE:
            raise SessionEndedError
        return models.SessionView(
            name=operator.name,
            display_name=operator.display_name,
            roles=sorted(operator.roles),
            seconds_left=int((ends_at(session) - kernel.clock()).total_seconds()),
            expires_at=session.expires_at,
        )

    @router.post("/challenges", operation_id="askChallenge", status_code=201)
    def ask_challenge(body: models.ChallengeRequest) -> models.Challenge:
        """What the operator's key signs, for one attempt. 登录挑战值。"""
        attempt, challenge = entrance.challenge(body.name)
        return models.Challenge(attempt=attempt, challenge=challenge.hex())

    @router.post("/sign-ins", operation_id="signIn", status_code=201)
    def sign_in(body: models.SignInRequest, request: Request, response: Response) -> models.Session:
        """Password and second factor; the token goes into `Authorization: Bearer`. 登录。"""
        if body.in_cookie:
            check_same_origin(request)
        signature = None if body.signature is None else bytes.fromhex(body.signature)
        opened = entrance.sign_in(body.attempt, body.password, signature, body.dynamic_password)
        if body.in_cookie:
            give_cookie(request, response, opened.token)
            return models.Session(token=None, expires_at=opened.expires_at)
        return models.Session(token=opened.token, expires_at=opened.expires_at)

    @router.post("/tickets", operation_id="askTicket", status_code=201)
    def ask_ticket(body: models.TicketRequest) -> models.Ticket:
        """Password and signature, for a session in a browser that has no key. 登录码。"""
        signature = bytes.fromhex(body.signature)
        opened = entrance.sign_in(body.attempt, body.password, signature, None)
        ticket, ends_at = entrance.tickets.give(opened)
        return models.Ticket(ticket=ticket, ends_at=ends_at)

    @router.post("/sign-ins/by-ticket", operation_id="signInByTicket", status_code=201)
    def sign_in_by_ticket(
        body: models.TicketSignIn, request: Request, response: Response
    ) -> models.Session:
        """The session of a ticket, in a cookie; once, within a minute. 用登录码登录。"""
        check_same_origin(request)
        opened = entrance.tickets.redeem(body.ticket)
        give_cookie(request, response, opened.token)
        return models.Session(token=None, expires_at=opened.expires_at)

    @router.delete("/sign-ins", operation_id="signOut", status_code=204)
    def sign_out(request: Request) -> Response:
        """End the session; one that has ended stays so. 退出。"""
        check_same_origin(request)
        entrance.leave(request)
        answer = Response(status_code=204)
        take_cookie(request, answer)
        return answer

    @router.get("/session", operation_id="getSession")
    def get_session(request: Request) -> models.SessionView:
        """Whose it is, and how long it lasts; asking does not keep it alive. 当前登录。"""
        return view_of(request)

    @router.post("/session", operation_id="keepSession")
    def keep_session(request: Request) -> models.SessionView:
        """Somebody is still there. 继续登录。"""
        check_same_origin(request)
        entrance.operator(request)
        return view_of(request)

    return router
