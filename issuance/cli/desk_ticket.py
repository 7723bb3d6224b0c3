"""`sscard operator desk`: on the operator's own machine, a ticket for the desk in a browser.

The key stays here: it signs the console's challenge, and what comes back is a ticket that is typed
into the browser (`issuance.console.tickets`). No installation is needed, and none is opened.
"""

import ssl
import webbrowser
from pathlib import Path
from typing import Annotated, Any, Final

import httpx2
import typer

from card_core.kernel.second_factor import is_challenge
from card_core.sign_in import Prover
from card_core.trust.urls import check_url
from issuance.cli import screen
from issuance.cli.desk import PasswordFileOption
from issuance.cli.operator_access import NameArgument, ask_password
from issuance.cli.second_factor import KeyOption, PinFileOption, key_needed, read_key
from issuance.errors import IssuanceError

ANSWER_SECONDS: Final = 15.0
ANSWER_BYTES_MAX: Final = 64 * 1024
_WORDS_MAX: Final = 300
_V1: Final = "/v1/operator"


def desk(
    name: NameArgument,
    *,
    console: Annotated[
        str,
        typer.Option(
            envvar="SSCARD_CONSOLE_URL",
            metavar="URL",
            help="经办页面的地址。\n\nThe address of the operators' pages.",
        ),
    ] = "http://127.0.0.1:8090",
    password_file: PasswordFileOption = None,
    key: KeyOption = None,
    pin_file: PinFileOption = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="只信任这些 CA（PEM）。\n\nTrust the authorities in this PEM file alone.",
        ),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="同时打开浏览器。\n\nOpen the browser, too.")
    ] = False,
) -> None:
    """用本人密钥取登录码，填进浏览器的登录页。
    With one's own key, a ticket to sign in at the desk in a browser.

    密钥不离开本机；登录码一分钟内有效，用一次即失效，请勿告诉他人。
    The key stays here. The ticket is good once, for a minute, and for nobody else.
    """
    if key is None:
        raise key_needed()
    url = _checked(console)
    tls = None if ca_file is None else _trusting(ca_file)
    prover = read_key(key, pin_file)[1]
    password = ask_password(password_file)
    ticket = ask_ticket(url, name, password, prover, tls)
    if open_browser:
        webbrowser.open(f"{url}/")
    screen.say(f"登录码：{ticket}", f"Ticket: {ticket}", style="bold")
    screen.say(
        f"请在一分钟内填进 {url} 的登录页；只能用一次。",
        f"Type it into the sign-in page at {url} within a minute. It is good once.",
    )


def ask_ticket(
    url: str, name: str, password: str, prover: Prover, tls: ssl.SSLContext | None = None
) -> str:
    """Sign in at the console with password and key; the ticket for a browser.

    url: of `check_url`, so that the password travels by TLS or not at all beyond this machine.
    Raises IssuanceError.
    """
    with httpx2.Client(
        base_url=url,
        timeout=ANSWER_SECONDS,
        verify=True if tls is None else tls,
        follow_redirects=False,
        trust_env=False,
    ) as http:
        asked = _ask(http, "/challenges", {"name": name})
        try:
            attempt, challenge = str(asked["attempt"]), bytes.fromhex(asked["challenge"])
        except (KeyError, TypeError, ValueError):
            raise _not_a_console(url) from None
        if not is_challenge(challenge):
            raise _not_a_console(url)
        signature = prover(challenge).value.hex()
        body = {"attempt": attempt, "password": password, "signature": signature}
        ticket = _ask(http, "/tickets", body).get("ticket")
    if not isinstance(ticket, str):
        raise _not_a_console(url)
    return _printable(ticket)


def _ask(http: httpx2.Client, path: str, body: dict[str, str]) -> dict[str, Any]:
    url = str(http.base_url)
    try:
        with http.stream("POST", _V1 + path, json=body) as answer:
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                if len(content) > ANSWER_BYTES_MAX:
                    raise _not_a_console(url)
            found = httpx2.Response(answer.status_code, content=bytes(content)).json()
    except httpx2.HTTPError:
        raise IssuanceError(
            "console_away",
            f"连不上 {url}，或其证书不受信任。请检查 --console 的地址、网络和 --ca-file。",
            f"There is no answer at {url}, or its certificate is not trusted. Check --console, the "
            "network and --ca-file.",
        ) from None
    except ValueError:
        raise _not_a_console(url) from None
    if not isinstance(found, dict):
        raise _not_a_console(url)
    if answer.is_success:
        return found
    told = (found.get("code"), found.get("detail_zh"), found.get("detail"))
    if not all(isinstance(one, str) for one in told):
        raise _not_a_console(url)
    raise IssuanceError(*(_printable(str(one)) for one in told))


def _printable(text: str) -> str:
    """What another machine says, as a screen may show it."""
    return "".join(one for one in text[:_WORDS_MAX] if one.isprintable())


def _checked(url: str) -> str:
    try:
        return check_url(url)
    except ValueError:
        raise IssuanceError(
            "console_url_unusable",
            "--console 应为 https:// 地址，或本机的 http:// 地址；密码不能明文传输。",
            "--console must be an https:// address, or http:// to this machine: the password must "
            "not travel in clear.",
        ) from None


def _trusting(ca_file: Path) -> ssl.SSLContext:
    from scan_api.issuers.channel import trusting  # noqa: PLC0415 - only where it is asked for

    try:
        return trusting(ca_file)
    except (OSError, ssl.SSLError):
        raise IssuanceError(
            "ca_file_unusable",
            f"--ca-file：{ca_file} 无法读取，或其中没有 PEM 格式的 CA 证书。",
            f"--ca-file: {ca_file} can't be read, or holds no CA certificate in PEM.",
        ) from None


def _not_a_console(url: str) -> IssuanceError:
    return IssuanceError(
        "not_a_console",
        f"{url} 上应答的不是经办服务。请核对地址。",
        f"What answers at {url} is no console. Check the address.",
    )
