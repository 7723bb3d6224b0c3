"""A session in a browser: its token in a cookie that no script reads, and only our own pages may
change something with it (CSRF).

Programs send `Authorization: Bearer`, which no page of a stranger can make a browser send; for them
there is nothing to check. The cookie is SameSite=Strict, and the browser must say that a change
comes from a page of this very origin.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from issuance.console.problems import ConsoleError

COOKIE: Final = "sscard_operator"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_BEARER: Final = "Bearer "


def token_of(request: Request) -> str:
    """Empty where there is none. A header goes before the cookie."""
    value = request.headers.get("authorization")
    if value is None:
        return request.cookies.get(COOKIE, "")
    return value.removeprefix(_BEARER) if value.startswith(_BEARER) else ""


def check_same_origin(request: Request) -> None:
    """For what changes something by a cookie. Raises ConsoleError (cross_site)."""
    if "authorization" not in request.headers and not _is_same_origin(request):
        raise ConsoleError(
            403,
            "cross_site",
            "请从本服务自己的页面操作",
            "Only this service's own pages may do this",
        )


def _is_same_origin(request: Request) -> bool:
    # Sec-Fetch-Site can't be set by a page; browsers send it over https and on this machine.
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        # A program without any token: whose it is is asked next. No browser changes anything of
        # another site's without naming the origin.
        return COOKIE not in request.cookies
    # TLS ends at a proxy, so the scheme of the request tells nothing.
    scheme = "http" if request.url.hostname in LOOPBACK else "https"
    return origin == f"{scheme}://{request.headers.get('host', '')}"


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Until the browser ends; the store ends the session earlier when it is idle."""
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        secure=request.url.hostname not in LOOPBACK,
        httponly=True,
        samesite="strict",
    )


def take_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        COOKIE,
        path="/",
        secure=request.url.hostname not in LOOPBACK,
        httponly=True,
        samesite="strict",
    )
