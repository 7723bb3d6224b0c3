"""What every page shares: templates, the two languages, and the headers that confine a page.

The service's pages and the counter page of a terminal are drawn with the same templates, styles
and scripts, so that they look and behave as one thing.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

LANGUAGES = {"zh": "zh-CN", "en": "en"}
LANGUAGE_COOKIE = "sscard_language"
LANGUAGE_COOKIE_SECONDS = 365 * 86_400

# No inline script or style, no other host, no frame around a page, and no form that a browser
# would send by itself: a password must never end up in an address because a script was missing.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)


def render(
    request: Request, template: str, *, camera: bool = False, **values: object
) -> HTMLResponse:
    """One page in the reader's language. camera: whether this page may ask for the camera.

    The language is Chinese until the reader chooses; the choice (`?lang=en`) is kept in a cookie.
    """
    chosen = request.query_params.get("lang")
    language = chosen or request.cookies.get(LANGUAGE_COOKIE) or "zh"
    if language not in LANGUAGES:
        language = "zh"
    body = _environment.get_template(template).render(
        language=language, html_language=LANGUAGES[language], **values
    )
    response = HTMLResponse(body, headers=_page_headers(camera=camera))
    if chosen in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            max_age=LANGUAGE_COOKIE_SECONDS,
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
    return response


class StaticPages(StaticFiles):
    """Styles, scripts and pictures; asked for anew each time, answered "unchanged" by their tag."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / "static")

    def file_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _page_headers(*, camera: bool) -> dict[str, str]:
    """What a page needs beyond the headers of every answer (scan_api/security_headers.py)."""
    return {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Permissions-Policy": f"camera=({'self' if camera else ''}), microphone=(), geolocation=()",
    }


@pass_context
def _text(context: Context, chinese: str, english: str) -> str:
    """Both languages stand side by side where they are used, so that neither can be forgotten."""
    return chinese if context["language"] == "zh" else english


_environment = Environment(
    loader=PackageLoader("scan_api.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["t"] = _text
