"""Operators at the desk, in browsers: signing in, and deciding what another proposed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from bureau import Bureau, MemorySigner
from bureau_desk import BureauDesk, desk_of, fill_sign_in
from playwright.sync_api import Browser, Locator, Page, expect
from scan_service import PURCHASE, ScanService, running
from stage import Screen

from card_core.kernel import enrolment_codes
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.kernel.acts.sessions import SESSION_IDLE
from card_core.states import BatchState
from card_core.store import approvals, batches
from card_core.store.operators import Role
from crypto import sm2
from issuance.console.cookie import COOKIE
from issuance.console.pages.routes import PAGES
from issuance.roster import open_roster
from scan_api.terminal import RequestRefusedError, TerminalClient, TerminalKey

ROSTER = Path(__file__).parent.parent / "rosters" / "foshan-600.xlsx"
PHARMACY, SERIAL = "P44060400077", "00000000000000d4"
STAFF = (
    ("wang", "王经办", Role.MAKER),
    ("li", "李复核", Role.CHECKER),
    ("guan", "管理员", Role.ADMINISTRATOR),
)


@pytest.fixture
def desk(bureau: Bureau, browser: Browser) -> Iterator[BureauDesk]:
    with desk_of(bureau, browser, STAFF) as found:
        yield found
        assert found.problems() == {}


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_two_operators_make_cards_of_a_roster_on_postgresql(
    desk: BureauDesk, tmp_path: Path
) -> None:
    maker, checker = desk.sign_in("wang"), desk.sign_in("li")
    page = maker.page
    page.goto(f"{desk.url}/desk/rosters")
    page.locator("#file").set_input_files(good_rows(tmp_path, 3))
    page.locator("#batch-name").fill("三月名册")
    page.locator("#import").click()
    page.get_by_role("link", name="看待复核事项").click()
    own = page.locator("#own li")
    expect(own).to_have_count(1)
    expect(own.get_by_role("button", name="同意")).to_have_count(0)
    maker.keep("desk-own_proposal-zh")
    with desk.bureau.store.read() as tx:
        assert tx.connection.dialect.name == "postgresql"
        imported = batches.page(tx)[0]
        (proposed,) = approvals.pending(tx)
    checker.page.goto(f"{desk.url}/desk/approvals")
    waiting = checker.page.locator("#to-decide li")
    expect(waiting).to_contain_text("放行批次 三月名册：3 张卡")
    expect(waiting).to_contain_text("王经办")
    expect(waiting).to_contain_text(imported.id)
    expect(waiting).to_contain_text(proposed.content_hash)
    checker.keep("desk-approvals-zh")
    waiting.get_by_role("button", name="同意").click()
    expect(checker.page.locator("#sure-hash")).to_have_text(proposed.content_hash)
    checker.keep("desk-approving-zh")
    checker.page.locator("#sure-yes").click()
    expect(checker.page.locator("#to-decide-empty")).to_be_visible()
    page.goto(f"{desk.url}/desk/batches?id={imported.id}")
    page.get_by_role("button", name="发卡").click()
    expect(page.locator("#cards")).to_contain_text("待报银行")
    with desk.bureau.store.read() as tx:
        batch = batches.get(tx, imported.id)
    assert batch is not None
    assert (batch.state, batch.issued) == (BatchState.ISSUED, 3)


def good_rows(folder: Path, count: int) -> Path:
    """A roster with the first rows of another one that are good."""
    many = ROSTER.with_name("foshan-2000.csv")
    title, *lines = many.read_text("gb18030").splitlines()
    accepted = json.loads(many.with_suffix(".expected.json").read_text())["accept"]
    few = folder / "few.csv"
    few.write_text("\n".join([title, *(lines[int(row) - 1] for row in accepted[:count]), ""]))
    return few


def test_who_has_the_wrong_digits_stays_outside_and_hears_why(desk: BureauDesk) -> None:
    screen = desk.open()
    screen.expected = ["401"]  # what a browser says of a refused request
    fill_sign_in(screen, "wang", "000000")
    expect(screen.page.locator("#sign-in-problem")).not_to_be_empty()
    expect(screen.page.locator("#digits")).to_have_value("")
    screen.keep("desk-sign_in_refused-zh")
    screen.page.goto(f"{desk.url}/desk/approvals")
    expect(screen.page).to_have_url(f"{desk.url}/")


def test_each_role_finds_its_own_pages(desk: BureauDesk) -> None:
    for name, (_, _, role) in zip(("wang", "guan"), (STAFF[0], STAFF[2]), strict=True):
        page = desk.sign_in(name).page
        links = page.locator("nav.desk-pages a")
        found = {href.removeprefix("/desk/") for href in links.evaluate_all(
            "links => links.map(one => one.getAttribute('href'))"
        )}  # fmt: skip
        assert found == {one.path for one in PAGES if role in one.roles}
        page.get_by_role("button", name="退出").click()
        expect(page.locator("#sign-in-form")).to_be_visible()
        assert COOKIE not in {one["name"] for one in page.context.cookies(desk.url)}


def test_a_session_is_told_of_its_end_and_ends(desk: BureauDesk) -> None:
    screen = desk.sign_in("wang")
    screen.expected = ["401"]
    page = screen.page
    desk.bureau.clock.advance(SESSION_IDLE.total_seconds() - 90)
    page.reload()  # the page is there at once; its own question does not keep the session
    expect(page.locator("#idle")).to_be_hidden()
    desk.bureau.clock.advance(SESSION_IDLE.total_seconds() - 90)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#idle")).to_be_visible()
    screen.keep("desk-idle-zh")
    page.get_by_role("button", name="继续工作").click()
    expect(page.locator("#idle")).to_be_hidden()
    desk.bureau.clock.advance(SESSION_IDLE.total_seconds())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#ended")).to_be_visible()


def test_a_roster_is_dropped_checked_and_imported(desk: BureauDesk, tmp_path: Path) -> None:
    screen = desk.sign_in("wang")
    page = screen.page
    page.goto(f"{desk.url}/desk/rosters")
    screen.keep("desk-roster_drop-zh")
    page.locator("#file").set_input_files(ROSTER)
    expect(page.locator("#found")).to_be_visible()
    expected = json.loads(ROSTER.with_suffix(".expected.json").read_text())
    accepted, refused = len(expected["accept"]), len(expected["reject"])
    expect(page.locator("#accepted")).to_have_text(str(accepted))
    expect(page.locator("#refused")).to_have_text(str(refused))
    first = min(map(int, expected["reject"]))
    expect(page.locator("#rows th[scope=row]").first).to_have_text(str(first))
    screen.keep("desk-roster_checked-zh")
    assert screen.barriers() == []
    with page.expect_download() as sent_back:
        page.locator("#corrections-xlsx").click()
    sent_back.value.save_as(tmp_path / "back.xlsx")
    with open_roster(tmp_path / "back.xlsx") as roster:
        assert len(list(roster.rows)) == refused
    page.locator("#batch-name").fill("佛山三月")
    page.locator("#import").click()
    expect(page.locator("#done-what")).to_contain_text(f"{accepted} 人")
    screen.keep("desk-roster_imported-zh")
    page.get_by_role("link", name="看待复核事项").click()
    expect(page.locator("#own li")).to_contain_text(f"放行批次 佛山三月：{accepted} 张卡")


def test_a_released_batch_is_issued_from_its_page(desk: BureauDesk) -> None:
    imported = desk.bureau.released_batch(3)
    waiting = desk.bureau.import_roster(desk.bureau.next_applications(2))
    screen = desk.sign_in("wang")
    page = screen.page
    page.goto(f"{desk.url}/desk/batches")
    columns = {"release": waiting["batch_id"], "issue": imported["batch_id"]}
    for stage, batch_id in columns.items():
        link = page.locator(f"section[aria-labelledby=stage-{stage}] a")
        expect(link).to_have_attribute("href", f"/desk/batches?id={batch_id}")
    screen.keep("desk-batches-zh")
    assert screen.barriers() == []
    page.locator("section[aria-labelledby=stage-issue] a").click()
    page.get_by_role("button", name="发卡").click()
    expect(page.locator("#next-words")).to_contain_text("生成银行预开户文件")
    expect(page.locator("#cards")).to_contain_text("待报银行")
    screen.keep("desk-batch-zh")
    assert screen.barriers() == []
    with desk.bureau.store.read() as tx:
        batch = batches.get(tx, imported["batch_id"])
    assert batch is not None
    assert (batch.state, batch.issued) == (BatchState.ISSUED, 3)


def test_a_holders_file_is_found_by_the_whole_number_alone(desk: BureauDesk) -> None:
    person = desk.bureau.person()
    desk.bureau.scan(desk.bureau.minter.mint(person.holder_id).text)
    screen = desk.sign_in("li")
    page = screen.page
    page.goto(f"{desk.url}/desk/search")
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.locator("#text").fill(person.number[:-1])
    expect(page.locator("#found")).to_contain_text("没有找到")
    page.locator("#text").fill(person.number)
    page.locator("#hits button").click()
    expect(page.locator("#file-title")).to_be_focused()
    expect(page.locator("#file-parts")).to_contain_text("机构161")
    screen.keep("desk-holder_file-zh")
    assert screen.barriers() == []
    assert person.name not in page.locator("main").inner_text()
    assert not [address for address in addresses if person.number[:-1] in address]
    page.locator("#text").fill("机构178")
    expect(page.locator("#hits li")).to_contain_text("P44060400002")


def approve(checker: Screen, words: str) -> None:
    checker.page.get_by_role("link", name="待复核").click()
    waiting = checker.page.locator("#to-decide li", has_text=words)
    waiting.get_by_role("button", name="同意").click()
    checker.page.locator("#sure-yes").click()
    expect(waiting).to_have_count(0)


def enrol_at_the_desk(page: Page, pharmacy: Locator, screen: Screen) -> str:
    """The code that is shown once."""
    pharmacy.get_by_role("button", name="登记终端").click()
    page.locator("#serial").fill(SERIAL.upper())
    page.locator("#enrolling-send").click()
    expect(page.locator("#let-out")).not_to_be_empty()
    code = page.locator("#let-out").inner_text()
    screen.keep("desk-enrolment_code-zh")
    assert screen.barriers() == []
    page.keyboard.press("Escape")
    expect(page.locator("#let-out")).to_be_visible()
    page.locator("#code-read").click()
    expect(page.locator("#said")).to_contain_text("待另一人复核")
    assert code not in page.content()
    return code


def test_two_operators_enter_a_pharmacy_and_its_terminal_which_scans(desk: BureauDesk) -> None:
    maker, checker = desk.sign_in("wang"), desk.sign_in("li")
    page = maker.page
    for number in range(5):
        act = DesignateInstitution(f"H4406040001{number}", f"医院{number}", "hospital", "440604")
        desk.bureau.decide(act)
    page.goto(f"{desk.url}/desk/places")
    page.get_by_role("button", name="登记新机构").click()
    page.locator("#place-code").fill(PHARMACY.lower())
    page.locator("#place-name").fill("演示大药房")
    expect(page.locator("#place-kind")).to_have_value("pharmacy")
    expect(page.locator("#place-region")).to_have_value("440604")
    maker.keep("desk-designating-zh")
    assert maker.barriers() == []
    page.locator("#designating-send").click()
    expect(page.locator("#said")).to_contain_text("待另一人复核")
    approve(checker, f"定点 {PHARMACY} 演示大药房（药店，440604）")

    page.reload()
    page.locator("#wanted").fill("演示大")
    expect(page.locator("#places > li").filter(visible=True)).to_have_count(1)
    pharmacy = page.locator("#places > li", has_text=PHARMACY)
    code = enrol_at_the_desk(page, pharmacy, maker)
    approve(checker, f"登记终端 {SERIAL}")
    pharmacy.get_by_role("button", name="看终端").click()
    expect(pharmacy.locator(".terminals li")).to_contain_text(f"登记码 {code[:5]}-… 已发出")

    service = ScanService(desk.bureau)
    key = TerminalKey(bytes.fromhex(SERIAL), MemorySigner(sm2.PrivateKey.generate()))
    with (
        running(service.app) as url,
        TerminalClient(url, key, clock=lambda: desk.bureau.clock().timestamp()) as terminal,
    ):
        terminal.enrol(enrolment_codes.parse(code))
        service.registry.refresh()
        assert terminal.scan(service.mint(), PURCHASE)["outcome"] == "accepted"
        checker.page.goto(f"{desk.url}/desk/places")
        suspend_at_once(checker, f"停用：{SERIAL}")
        service.registry.refresh()
        with pytest.raises(RequestRefusedError) as refused:
            terminal.scan(service.mint(), PURCHASE)
    assert refused.value.code == "terminal_suspended"


def suspend_at_once(checker: Screen, button: str) -> None:
    page = checker.page
    pharmacy = page.locator("#places > li", has_text=PHARMACY)
    expect(page.get_by_role("button", name="登记新机构")).to_have_count(0)
    pharmacy.get_by_role("button", name="看终端").click()
    pharmacy.get_by_role("button", name=button).click()
    page.locator("#sure-yes").click()
    expect(pharmacy.locator(".terminals")).to_contain_text("已停用")
    checker.keep("desk-places-zh")
    assert checker.barriers() == []
