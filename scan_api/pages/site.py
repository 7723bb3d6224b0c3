"""What every page shares: templates, what a reader chose, and the headers that confine a page.

The service's pages, the counter page of a terminal and the bureau's desk are drawn with the same
base, styles and scripts, so that they look and behave as one thing.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from scan_api.pages.static_files import ROOT, StaticPages, takes_gzip

LANGUAGES = {"zh": "zh-CN", "en": "en"}
CHOICE_SECONDS = 365 * 86_400


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a reader chooses by a link (`?lang=en`), kept in a cookie; the first option is usual."""

    parameter: str
    cookie: str
    options: tuple[str, ...]

    def asked(self, request: Request) -> str | None:
        """The option that this very request asks for."""
        found = request.query_params.get(self.parameter)
        return found if found in self.options else None

    def of(self, request: Request) -> str:
        found = self.asked(request) or request.cookies.get(self.cookie)
        return found if found in self.options else self.options[0]


_LANGUAGE = _Choice("lang", "sscard_language", tuple(LANGUAGES))
_TYPE = _Choice("type", "sscard_type", ("normal", "large"))

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
    )
)
_PLAIN = "trusted-types 'none'"
# A page that can be installed names its worker, which browsers take from a policy alone.
_INSTALLABLE = "manifest-src 'self'; worker-src 'self'; trusted-types sscard-worker"


class _FilesByContent(Extension):
    """Templates say `/static/sscard.css`; a page says by which name browsers may keep that."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return source.replace(f'="{ROOT}/', f'="{self.environment.globals["static_root"]}/')


class Site:
    """The pages of one program: templates of its own packages over those that all share."""

    def __init__(self, *packages: str) -> None:
        """packages: with a folder `templates`, and `static` where they bring styles or scripts."""
        self.static = StaticPages(*packages)
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(one) for one in (*packages, __package__)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_FilesByContent],
        )
        self._environment.globals |= {"t": _text, "static_root": self.static.root}

    def render(
        self,
        request: Request,
        template: str,
        *,
        camera: bool = False,
        installable: bool = False,
        public: bool = False,
        **values: object,
    ) -> HTMLResponse:
        """One page as its reader chose it.

        camera: whether the page may ask for the camera. installable: whether it may name a
        manifest and a worker of its own. public: that nothing in it is secret and nothing is what
        the request said, so that it may be packed: see docs/decisions/0034-light-pages.md.

        The language is Chinese and the type of normal size until the reader chooses; the choices
        (`?lang=en`, `?type=large`) are kept in cookies.
        """
        language = _LANGUAGE.of(request)
        text = self._environment.get_template(template).render(
            language=language,
            html_language=LANGUAGES[language],
            type_size=_TYPE.of(request),
            **values,
        )
        body = text.encode()
        headers = dict(_page_headers(camera=camera, installable=installable))
        if public:
            headers["Vary"] = "Accept-Encoding"
        if public and takes_gzip(request.headers):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        response = HTMLResponse(body, headers=headers)
        for choice in (_LANGUAGE, _TYPE):
            if asked := choice.asked(request):
                response.set_cookie(
                    choice.cookie,
                    asked,
                    max_age=CHOICE_SECONDS,
                    httponly=True,
                    secure=request.url.scheme == "https",
                    samesite="lax",
                )
        return response


def _page_headers(*, camera: bool, installable: bool) -> Mapping[str, str]:
    """What a page needs beyond the headers of every answer (scan_api/security_headers.py)."""
    policy = f"{CONTENT_SECURITY_POLICY}; {_INSTALLABLE if installable else _PLAIN}"
    return {
        "Content-Security-Policy": policy,
        "Permissions-Policy": f"camera=({'self' if camera else ''}), microphone=(), geolocation=()",
    }


@pass_context
def _text(context: Context, chinese: str, english: str) -> str:
    """Both languages stand side by side where they are used, so that neither can be forgotten."""
    return chinese if context["language"] == "zh" else english
