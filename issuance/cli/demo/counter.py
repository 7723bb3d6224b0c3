"""The holder's and the pharmacy's part of the demonstration: over HTTP, and through a picture."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import zxingcpp
from PIL import Image
from rich.console import RenderableType
from rich.text import Text

from card_core.codes import picture
from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.minting import Minter
from card_core.verdicts import Reason
from issuance.batches import new_request_id
from issuance.cli.demo.bureau import DemoHolder
from issuance.cli.demo.folder import DemoFolder
from issuance.cli.demo.steps import DeviationError, Step, Steps, boxed
from issuance.files import PUBLIC, write_whole
from issuance.installation import Installation, random_bytes, utc_now
from scan_api.terminal import TerminalClient, TerminalError

BUSINESS_TYPE = "02121"
AMOUNT_FEN = 4580
ANSWER_SECONDS = 5.0
EXPIRED_BY = timedelta(minutes=3)


class Browser:
    """A browser on one site, as far as the demonstration needs one."""

    def __init__(self, url: str) -> None:
        # The service takes changes only from its own pages; a browser says so by itself.
        self._http = httpx2.Client(
            base_url=url, headers={"Origin": url}, timeout=ANSWER_SECONDS, trust_env=False
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, *, status: int = 200) -> Any:
        return self._read(self._http.get(path), status)

    def post(self, path: str, body: dict[str, str], *, status: int = 200) -> Any:
        key = {"Idempotency-Key": f'"{new_request_id()}"'}
        return self._read(self._http.post(path, json=body, headers=key), status)

    def _read(self, response: httpx2.Response, status: int) -> Any:
        path = response.request.url.path
        if response.status_code != status:
            raise DeviationError(path, response.status_code, status)
        is_json = response.headers.get("content-type", "").startswith("application/json")
        return response.json() if is_json else response.text


@contextmanager
def browser(url: str) -> Iterator[Browser]:
    opened = Browser(url)
    try:
        yield opened
    finally:
        opened.close()


def check_pages(steps: Steps, phone: Browser, clerk: Browser) -> None:
    """The service says that it is ready, and both pages are there."""
    with steps.step("服务就绪", "The service is ready") as step:
        step.expect("/readyz", phone.get("/readyz"), {"status": "ready"})
        for at in (phone, clerk):
            step.expect("页面 page", "<html" in at.get("/"), True)
        step.result = "/readyz, 持卡人页面 holder's page, 扫码页面 counter"


def enrol(steps: Steps, terminal: TerminalClient, code: EnrolmentCode) -> None:
    """The terminal brings its own key to the service, by the code that the bureau let out."""
    with steps.step("终端凭登记码登记", "The terminal enrols itself") as step:
        answer = terminal.enrol(code)
        step.expect(
            "本终端 this terminal", terminal.describe()["serial_number"], answer["serial_number"]
        )
        step.result = f"密钥 key {answer['key_name']}"


def show_code(steps: Steps, holder: DemoHolder, phone: Browser, folder: DemoFolder) -> str:
    """Sign in, show a code, draw it and read it back from the picture; returns its text."""
    with steps.step("持卡人登录", "The holder signs in"):
        body = {"social_security_number": holder.number, "password": holder.password}
        phone.post("/v1/holder/sign-ins", body, status=201)
    with steps.step("生成动态码", "A code is minted") as step:
        text = _mint(phone)
        step.result = f"{len(text)} 位数字 digits"
    with steps.step("画二维码", "Drawn as a QR code") as step:
        write_whole(folder.picture, picture.to_png(text), mode=PUBLIC)
        step.result = str(folder.picture)
        step.show(Text.from_ansi(picture.to_terminal(text), no_wrap=True))
    with steps.step("独立解码（zxing-cpp）", "Read back by another") as step:
        with Image.open(folder.picture) as image:
            # In the modules of a rare code it would see bars of another kind as well.
            qr_code = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
            found = zxingcpp.read_barcodes(image, formats=qr_code)
        step.expect("解码结果 what was read", [one.text for one in found], [text])
        step.result = f"{found[0].format.name}, 内容一致 the same text"
    return text


def scan_at_counter(
    steps: Steps,
    site: Installation,
    holder: DemoHolder,
    *,
    phone: Browser,
    terminal: TerminalClient,
    text: str,
) -> None:
    """Accepted once; then used, altered, expired, and after a loss: refused."""
    with steps.step("药店扫码", "The pharmacy scans") as step:
        verdict = _scan(step, terminal, text, Reason.ACCEPTED)
        step.expect("姓名 name", verdict["holder"]["name"], holder.name)
        step.show(_verdict_box(verdict))
    refusals: tuple[tuple[str, str, Callable[[], str], Reason], ...] = (
        ("再扫同一个码", "The same code again", lambda: text, Reason.ALREADY_USED),
        ("篡改一位", "One digit altered", lambda: _altered(_mint(phone)), Reason.BAD_SIGNATURE),
        ("已过期的码", "An expired code", lambda: _mint_expired(site, holder), Reason.EXPIRED),
    )
    for zh, en, make, reason in refusals:
        with steps.step(zh, en) as step:
            _scan(step, terminal, make(), reason)
    with steps.step("挂失后扫新码", "Lost: a fresh code") as step:
        fresh = _mint(phone)
        lost = phone.post("/v1/holder/loss-reports", {})
        step.expect("卡状态 card state", lost["card_state"], "temporary_loss")
        _scan(step, terminal, fresh, Reason.CARD_LOST)
    with steps.step("解挂后恢复", "Found: served again") as step:
        phone.post("/v1/holder/loss-withdrawals", {"password": holder.password})
        _scan(step, terminal, _mint(phone), Reason.ACCEPTED)


def _mint(phone: Browser) -> str:
    return str(phone.post("/v1/holder/codes", {}, status=201)["text"])


def _mint_expired(site: Installation, holder: DemoHolder) -> str:
    """A code of the real key, minted by a clock that was set back."""
    minter = Minter(
        site.store,
        site.keys,
        site.kernel,
        issuer=site.facts.issuer,
        clock=lambda: utc_now() - EXPIRED_BY,
        random_bytes=random_bytes,
    )
    return minter.mint(holder.id).text


def _altered(text: str) -> str:
    """The code with its last digit changed, which is the signature's."""
    return text[:-1] + str((int(text[-1]) + 1) % 10)


def _scan(step: Step, terminal: TerminalClient, text: str, wanted: Reason) -> dict[str, Any]:
    """Scan as the pharmacy's terminal; the verdict's reason must be `wanted`."""
    try:
        verdict = terminal.scan(text, BUSINESS_TYPE, amount_fen=AMOUNT_FEN, operator="收银一号")
    except TerminalError as error:
        raise DeviationError("核验 scan", error.code, wanted.value) from error
    step.expect("核验结果 verdict", verdict["reason"], wanted.value)
    step.expect("通过与否 outcome", verdict["outcome"], wanted.outcome)
    reason = "" if wanted is Reason.ACCEPTED else f": {wanted.value}"
    step.result = f"{wanted.outcome}{reason} · {verdict['text_zh']}"
    return verdict


def _verdict_box(verdict: dict[str, Any]) -> RenderableType:
    holder, action = verdict["holder"], verdict["next_action"]
    lines = (
        (f"{verdict['text_zh']}  {verdict['text_en']}", "bold green"),
        (f"{holder['name']}  {holder['social_security_number']}", "bold"),
        (f"{action['clerk_zh']}  {action['clerk_en']}", ""),
    )
    text = Text("\n").join(Text(line, style=style) for line, style in lines)
    title = f"{BUSINESS_TYPE} 药店购药 Pharmacy purchase · ¥{AMOUNT_FEN / 100:.2f}"
    return boxed(text, title=title, colour="green")
