"""Headers that confine every answer, whoever made it; a page may set its own, stricter or wider."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS = {
    # An answer of the API is data: nothing in it may run, load or be framed.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# As they go over the wire; every answer carries them, so they are encoded once.
DATA = tuple((name.lower().encode(), value.encode()) for name, value in DEFAULTS.items())
_NAMES = frozenset(name for name, _ in DATA)
# Two years; sent over https only, where a browser heeds it (RFC 6797, section 7.2).
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=63072000")
_DATA_SECURE = (*DATA, STRICT_TRANSPORT)


def data_headers(scheme: str) -> tuple[tuple[bytes, bytes], ...]:
    """What an answer of the API carries that sets none of them itself."""
    return _DATA_SECURE if scheme == "https" else DATA


class SecurityHeaders:
    """Pure ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        defaults = data_headers(scope["scheme"])

        async def send_confined(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                names = {name.lower() for name, _ in own}
                missing = (
                    defaults
                    if names.isdisjoint(_NAMES)
                    else [header for header in defaults if header[0] not in names]
                )
                message["headers"] = [*own, *missing]
            await send(message)

        await self.app(scope, receive, send_confined)
