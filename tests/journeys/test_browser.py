"""From the holder's screen to the clerk's, in a browser, against the real service."""

from datetime import UTC, datetime, timedelta

import pytest
from bureau import HOLDER_PASSWORD
from playwright.sync_api import expect
from stage import Screen, Stage, sign_in, type_code

from card_core.store import scans


@pytest.fixture
def still_counter(counter: Screen) -> Screen:
    """Its page asks again by itself only when the test turns its clock on."""
    counter.page.clock.install()
    counter.page.reload()
    counter.page.get_by_text("药店购药").wait_for()
    counter.page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    return counter


def test_a_code_read_from_the_screen_is_accepted_once(
    stage: Stage, phone: Screen, counter: Screen
) -> None:
    person = stage.bureau.person()
    sign_in(phone, person)
    code = phone.read_code()

    type_code(counter, code)
    verdict = counter.page.locator("#verdict")
    expect(verdict).to_have_class("verdict accepted")
    expect(verdict).to_contain_text("通过")
    expect(verdict).to_contain_text("请继续办理")

    type_code(counter, code)
    expect(verdict).to_have_class("verdict refused")
    expect(verdict).to_contain_text("已")
    expect(counter.page.locator("#recent li")).to_have_count(2)
    # What stays in view of the queue names nobody.
    expect(counter.page.locator("#recent")).not_to_contain_text(person.name)


def test_after_a_loss_a_code_taken_before_is_refused_in_the_same_second(
    stage: Stage, phone: Screen, counter: Screen
) -> None:
    sign_in(phone, stage.bureau.person())
    code = phone.read_code()
    # The service's clock stands still in this test: the same second is the very same instant.
    phone.page.get_by_role("button", name="卡丢了，我要挂失").click()
    phone.page.get_by_role("button", name="确定挂失").click()
    expect(phone.page.get_by_role("heading", name="卡已临时挂失")).to_be_visible()
    expect(phone.page.locator("#code-picture")).to_be_hidden()

    type_code(counter, code)
    expect(counter.page.locator("#verdict")).to_have_class("verdict refused")
    expect(counter.page.locator("#verdict-reason")).to_contain_text("挂失")


def test_a_card_that_was_found_works_again_with_the_password(
    stage: Stage, phone: Screen, counter: Screen
) -> None:
    sign_in(phone, stage.bureau.person())
    phone.page.get_by_role("button", name="卡丢了，我要挂失").click()
    phone.page.get_by_role("button", name="确定挂失").click()

    phone.expected.append("401")
    password = phone.page.get_by_label("输入 6 位密码解除挂失")
    password.fill("135791")
    phone.page.get_by_role("button", name="解除挂失").click()
    expect(phone.page.locator("#withdraw-problem")).to_contain_text("不正确")

    password.fill(HOLDER_PASSWORD)
    phone.page.get_by_role("button", name="解除挂失").click()
    expect(phone.page.locator("#code-picture")).to_be_visible()
    type_code(counter, phone.read_code())
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")


def test_a_loss_is_asked_about_once_before_it_is_reported(stage: Stage, phone: Screen) -> None:
    sign_in(phone, stage.bureau.person())
    phone.page.get_by_role("button", name="卡丢了，我要挂失").click()
    expect(phone.page.get_by_role("dialog")).to_contain_text("马上都不能用")
    # Enter and Escape both mean no.
    phone.page.keyboard.press("Enter")
    expect(phone.page.get_by_role("dialog")).to_be_hidden()
    phone.page.get_by_role("button", name="卡丢了，我要挂失").click()
    phone.page.keyboard.press("Escape")
    expect(phone.page.get_by_role("dialog")).to_be_hidden()
    expect(phone.page.locator("#code-picture")).to_be_visible()


def test_a_lost_answer_is_no_yes_and_is_settled_by_asking_again(
    stage: Stage, phone: Screen, still_counter: Screen
) -> None:
    counter = still_counter
    person = stage.bureau.person()
    sign_in(phone, person)
    code = phone.read_code()

    counter.expected.append("503")
    stage.network.losing = 3
    type_code(counter, code)
    verdict = counter.page.locator("#verdict")
    expect(verdict).to_have_class("verdict unknown")
    expect(verdict).to_contain_text("不能办理")

    counter.page.get_by_role("button", name="再问一次").click()
    expect(verdict).to_have_class("verdict accepted")
    expect(counter.page.locator("#recent li")).to_have_count(1)
    with stage.bureau.store.read() as tx:
        recorded = scans.of_holder(tx, person.holder_id, limit=10)
    assert [scan.reason for scan in recorded] == ["accepted"]


def test_a_lost_answer_is_settled_while_the_next_holder_is_served(
    stage: Stage, still_counter: Screen
) -> None:
    counter = still_counter
    first, second = (
        stage.bureau.minter.mint(person.holder_id).text for person in stage.bureau.people(2)
    )
    counter.expected.append("503")
    stage.network.losing = 3
    type_code(counter, first)
    expect(counter.page.locator("#verdict")).to_have_class("verdict unknown")
    type_code(counter, second)
    expect(counter.page.locator("#verdict")).to_have_class("verdict accepted")
    expect(counter.page.locator("#recent li.accepted")).to_have_count(1)

    counter.page.clock.fast_forward(5_000)
    expect(counter.page.locator("#recent li.accepted")).to_have_count(2)
    expect(counter.page.locator("#recent li.unknown")).to_have_count(0)


def test_signing_out_leaves_no_code_on_the_page(stage: Stage, phone: Screen) -> None:
    sign_in(phone, stage.bureau.person())
    phone.page.get_by_role("link", name="更多").click()
    phone.page.get_by_role("button", name="退出登录").click()
    expect(phone.page.get_by_role("heading", name="登录电子社保卡")).to_be_visible()
    assert phone.page.locator("#code-picture").get_attribute("src") is None
    phone.page.reload()
    expect(phone.page.get_by_role("heading", name="登录电子社保卡")).to_be_visible()
