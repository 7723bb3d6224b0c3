"""Only our own pages may change something with a holder's cookie (CSRF).

Three fences, each enough for most cases: the cookie is SameSite=Strict, bodies are JSON (which no
form sends), and the browser must say that the request comes from a page of this very origin.
"""

from starlette.requests import Request

from scan_api import problems
from scan_api.bodies import check_media_type
from scan_api.holders.session import LOOPBACK
from scan_api.problems import ProblemError


def check_origin(request: Request) -> None:
    """Raises: ProblemError (cross_site, not_json). For methods that change something."""
    # Sec-Fetch-Site can't be set by a page; browsers send it over https and on this machine.
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        same = site == "same-origin"
    else:
        # TLS ends at a proxy, so the scheme of the request tells nothing.
        scheme = "http" if request.url.hostname in LOOPBACK else "https"
        own = f"{scheme}://{request.headers.get('host', '')}"
        same = request.headers.get("origin") == own
    if not same:
        raise ProblemError(problems.CROSS_SITE)
    if request.method == "POST":
        check_media_type(request.headers.get("content-type", ""))
