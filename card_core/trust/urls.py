"""Addresses of issuers: what may be asked over the network, and what not."""

from urllib.parse import urlsplit

URL_CHARACTERS_MAX = 200
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_safe_way(url: str) -> bool:
    """Whether it is https, or plain http to this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def check_url(url: str) -> str:
    """The address without a slash at its end: https, or plain http to this machine itself.

    Names and numbers travel to it, so nothing else will do. Raises ValueError.
    """
    parts = urlsplit(url)
    if len(url) > URL_CHARACTERS_MAX or not (url.isascii() and url.isprintable()):
        raise ValueError("an address is printable ASCII")
    if not is_safe_way(url):
        raise ValueError("an address begins with https://")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("an address has a host, and neither a user nor a query")
    if parts.port == 0:
        raise ValueError("port 0 is none")
    return url.rstrip("/")
