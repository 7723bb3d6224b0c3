"""The reference as one plain page: readable with no script, no other host and no network."""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import Response

from card_core.verdicts import Reason
from scan_api.problems import CATALOGUE

STYLE_PATH = "/docs/reference.css"
_SCHEMA = re.compile(r"#/components/schemas/(\w+)")
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def routes(app: FastAPI) -> APIRouter:
    """app: the application whose routes are all added by the time that the page is asked for."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def docs() -> Response:
        return Response(
            _render(app.openapi()),
            media_type="text/html",
            headers={"Content-Security-Policy": _CONTENT_SECURITY_POLICY},
        )

    @router.get(STYLE_PATH)
    def style() -> Response:
        text = files(__package__).joinpath("reference.css").read_text("utf-8")
        return Response(text, media_type="text/css", headers={"Cache-Control": "no-cache"})

    @router.get("/openapi.json")
    def openapi() -> Response:
        return Response(
            json.dumps(app.openapi(), ensure_ascii=False), media_type="application/json"
        )

    return router


def _render(document: Mapping[str, Any]) -> str:
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = [
        (tag, [one for one in operations if tag["name"] in one["tags"]]) for tag in document["tags"]
    ]
    return _environment.get_template("reference.html").render(
        document=document,
        groups=groups,
        reasons=list(Reason),
        catalogue=CATALOGUE,
        style_path=STYLE_PATH,
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _linked(value: Any) -> Markup:
    """As `_pretty`, with references to schemas leading to them; a reference alone has no quotes."""
    text = str(escape(value if isinstance(value, str) else _pretty(value)))
    link = r'<a href="#schema-\1">\1</a>'
    return Markup(_SCHEMA.sub(link, text))  # noqa: S704 - escaped in the line before


_environment = Environment(
    loader=PackageLoader("scan_api.reference", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["pretty"] = _pretty
_environment.filters["linked"] = _linked
