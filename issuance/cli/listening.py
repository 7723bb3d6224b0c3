"""Taking the address that a service answers on, before anything else happens."""

import errno
import socket
from contextlib import suppress
from pathlib import Path

from issuance.errors import IssuanceError

BACKLOG = 2048
# The proxy in front belongs to the socket's group.
UNIX_MODE = 0o660


def bind(host: str, port: int) -> socket.socket:
    """Take a TCP address now, so that a port in use is told at once.

    port: 0 for any free one. Raises IssuanceError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise IssuanceError(
                "port_in_use",
                f"端口 {port} 已被其他程序占用。请用 --port 换一个，或先停掉那个程序。",
                f"Port {port} is in use by another program. Choose another with --port, or stop "
                "that program.",
            ) from error
        raise IssuanceError(
            "address_unusable",
            f"不能在 {host}:{port} 上提供服务。请检查地址；1024 以下的端口需要特权。",
            f"The address {host}:{port} can't be served. Check it; ports below 1024 need "
            "privileges.",
        ) from error


def bind_unix(path: Path) -> socket.socket:
    """Take a socket in the file system, for its owner and group. Raises IssuanceError.

    What a process that was killed left behind is replaced; a socket that answers is not.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and not _answers(path):
            path.unlink()
        listening.bind(str(path))
        path.chmod(UNIX_MODE)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise IssuanceError(
            "socket_unusable",
            f"不能使用套接字 {path}：可能已有程序在用，或文件夹不可写。请检查后再试。",
            f"The socket {path} can't be used: another program may serve it, or its folder can't "
            "be written. Check and try again.",
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """How a person would name the address."""
    if listening.family == socket.AF_UNIX:
        return f"unix:{listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def forget(path: Path) -> None:
    """Remove the socket's file: who finds none knows at once that nobody serves."""
    with suppress(OSError):
        path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0
