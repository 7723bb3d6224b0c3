"""The bureau's part of the demonstration: from keys to a card in its holder's hands."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib import resources

from card_core.errors import SamePersonError, WeakPasswordError
from card_core.identity import mask_name
from card_core.kernel import Actor, Answer, DangerousAct, enrolment_codes
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence
from card_core.kernel.acts.enrolment import PrepareEnrolment
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.sign_in import by_key, check_new_password, hash_password, sign_in_operator
from card_core.store import batches, cards, holders
from card_core.store.cards import Card
from card_core.store.holders import Holder
from card_core.store.operators import Role
from crypto.keys import KeyFiles
from issuance import engine
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.cli import screen
from issuance.cli.demo.folder import DemoFolder
from issuance.cli.demo.steps import DeviationError, Steps
from issuance.cli.roster import read_roster, show_findings, write_report
from issuance.cli.second_factor import KEY_NAME
from issuance.files import PRIVATE, write_whole
from issuance.founding import Bureau, NewPerson, found
from issuance.importing import import_roster
from issuance.installation import Installation, random_bytes
from issuance.roster import WholeRoster
from scan_api.terminal import TerminalKey

ROSTER_ROWS = 600
BUREAU = Bureau(issuer=1, card_letters="FS", name="佛山市社保卡演示中心")
PHARMACY_CODE = "P44060400001"
PHARMACY_NAME = "演示大药房"
BORN_BY = date(2000, 1, 1)
TERMINAL_SERIAL = bytes.fromhex("00000000000000a1")


@dataclass(frozen=True, slots=True)
class Staff:
    """Who acts in the demonstration, each signed in."""

    administrator: Actor
    maker: Actor
    checker: Actor


@dataclass(frozen=True, slots=True, repr=False)
class DemoHolder:
    """The one who gets the card; made up, as everybody in the sample roster."""

    id: str
    name: str
    number: str
    card_number: str
    password: str


@dataclass(frozen=True, slots=True, repr=False)
class Colleague:
    """An operator of the demonstration. sign: with their own key, which lies in a folder."""

    person: NewPerson
    sign: Callable[[bytes], bytes]


def make_people(folder: DemoFolder) -> dict[str, Colleague]:
    """Two who administer and two who work, with passwords and keys made for this run."""
    people = (
        ("admin", "演示系统管理员", Role.ADMINISTRATOR),
        ("security", "演示安全管理员", Role.SECURITY),
        ("maker", "演示经办", Role.MAKER),
        ("checker", "演示复核", Role.CHECKER),
    )
    return {
        name: _colleague(folder, name, display_name, role) for name, display_name, role in people
    }


def _colleague(folder: DemoFolder, name: str, display_name: str, role: Role) -> Colleague:
    own = folder.operator(name)
    pin, words = secrets.token_hex(8), secrets.token_hex(12)
    keys = KeyFiles.create(own / "key", pin.encode())
    keys.create_signer(KEY_NAME)
    write_whole(own / "pin", pin.encode() + b"\n", mode=PRIVATE)
    write_whole(own / "password", words.encode() + b"\n", mode=PRIVATE)
    signer = keys.signer(KEY_NAME)
    point = signer.public_key.to_bytes(compressed=True)
    return Colleague(NewPerson(name, display_name, frozenset({role}), words, point), signer.sign)


def set_up(steps: Steps, folder: DemoFolder, people: dict[str, Colleague]) -> bytes:
    """Keys, database and the first people; returns the passphrase."""
    with steps.step("生成密钥和数据库", "Keys and database") as step:
        passphrase = folder.passphrase()
        found(
            folder.settings(),
            passphrase,
            bureau=BUREAU,
            people=[one.person for one in people.values()],
        )
        step.result = "SM2 + 6 × SM4/HMAC-SM3; SQLite"
    return passphrase


def sign_in(steps: Steps, site: Installation, people: dict[str, Colleague]) -> Staff:
    """Each of them signs in; their sessions stay in the home for the command line."""
    actors = {}
    with steps.step("操作员登录", "Operators sign in") as step:
        for name, one in people.items():
            opened = sign_in_operator(
                site.kernel, name, one.person.password, by_key(one.sign), pepper=site.pepper
            )
            site.home.keep_session(name, opened.token)
            actors[name] = opened.actor
        step.result = "、".join(one.person.display_name for one in people.values())
    return Staff(actors["admin"], actors["maker"], actors["checker"])


def issue_roster(steps: Steps, site: Installation, staff: Staff, folder: DemoFolder) -> str:
    """Check, import, approve and issue the sample roster; returns the batch's id."""
    report = check_sample(steps, folder)
    with steps.step("经办导入名册", "The maker imports it") as step:
        imported = import_roster(site.kernel, report, name="佛山演示 600", actor=staff.maker)
        step.expect("导入行数 rows imported", imported.accepted, len(report.applications))
        step.result = f"批次 batch {imported.batch_id}"
    with site.store.read() as tx:
        batch = find_batch(tx, str(imported.batch_id))
        approval = release_approval(tx, batch)

    def approve(actor: Actor) -> None:
        content = {"content_hash": approval.content_hash, "request_id": new_request_id()}
        site.kernel.approve(approval.id, actor=actor, **content)

    with steps.step("经办自己复核：应被拒", "The maker approves: refused") as step:
        refusal = "none"
        try:
            approve(staff.maker)
        except SamePersonError as error:
            refusal = error.code
        step.expect("拒绝原因 refusal", refusal, SamePersonError.code)
        step.result = refusal
    with steps.step("复核放行", "The checker approves") as step:
        approve(staff.checker)
        step.result = f"{batch.accepted} 张 cards, SM3 {approval.content_hash[:16]}…"
    with steps.step("发卡", "Issuing the cards") as step:
        with screen.progress("发卡", "Issuing") as shown, engine.here(site.kernel) as pool:
            after = engine.issue(pool, site.store, batch.id, actor=staff.maker, progress=shown)
        with site.store.read() as tx:
            ledger = batches.chunks(tx, batch.id)
        step.expect("发卡数 cards issued", after.issued, batch.accepted)
        numbers = f"{ledger[0].first_card_number} … {ledger[-1].last_card_number}"
        step.result = f"{after.issued} 张 cards, {numbers}"
    return batch.id


def check_sample(steps: Steps, folder: DemoFolder) -> WholeRoster:
    """Check the sample roster and show what is refused and why."""
    sample = resources.files("issuance.cli.demo").joinpath("foshan-600.xlsx")
    with steps.step("检查名册", "Checking the roster") as step, resources.as_file(sample) as path:
        report = read_roster(path)
        write_report(folder.report, report)
        accepted, refused = len(report.applications), len(report.refused)
        step.expect("名册行数 rows", accepted + refused, ROSTER_ROWS)
        step.expect("有行被退回 some rows are refused", 0 < refused < ROSTER_ROWS, True)
        step.result = f"接受 accepted {accepted}, 退回 refused {refused}"
    show_findings(report)
    return report


def enrol_pharmacy(
    steps: Steps, site: Installation, staff: Staff, folder: DemoFolder, passphrase: bytes
) -> tuple[TerminalKey, EnrolmentCode]:
    """Designate a pharmacy and let out a code for its terminal, each by two people.

    Returns the terminal's key and the code.
    """
    with steps.step("定点药店：提交、复核", "A pharmacy, by two people") as step:
        region = PHARMACY_CODE[1:7]
        pharmacy = DesignateInstitution(PHARMACY_CODE, PHARMACY_NAME, "pharmacy", region)
        _by_two(site, staff.maker, staff.checker, pharmacy)
        step.result = f"{PHARMACY_CODE} {PHARMACY_NAME}"
    with steps.step("终端生成密钥", "Its terminal makes a key") as step:
        key = TerminalKey.create(
            folder.terminal, serial_number=TERMINAL_SERIAL, passphrase=passphrase
        )
        step.result = f"SM2, {key.serial_number.hex()}"
    with steps.step("登记码：提交、复核", "Its code, by two people") as step:
        code = enrolment_codes.make(random_bytes)
        digest = code.digest(site.store.cipher, key.serial_number)
        act = PrepareEnrolment(key.serial_number, PHARMACY_CODE, code.name, digest)
        _by_two(site, staff.administrator, staff.checker, act)
        step.result = f"{code.name}-…"
    return key, code


def hand_out(steps: Steps, site: Installation, staff: Staff, batch_id: str) -> DemoHolder:
    """Give a card of the batch to its holder, and activate card and e-card."""
    with steps.step("领卡启用", "A card is handed out") as step:
        card, holder = _find_adult(site, batch_id)
        act = ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT)
        answer = site.kernel.perform(act, actor=staff.maker, request_id=new_request_id())
        step.expect("卡状态 card state", answer["card_state"], "normal")
        step.result = f"{card.card_number}, {mask_name(holder.name)}"
    with steps.step("开通电子社保卡", "The e-card is activated") as step:
        password = _make_password(holder)
        hashed = hash_password(password, pepper=site.pepper, random_bytes=random_bytes)
        answer = site.kernel.perform(
            ActivateECard(card.id, hashed), actor=staff.maker, request_id=new_request_id()
        )
        step.expect("电子社保卡状态 e-card state", answer["ecard_state"], "active")
        step.result = f"签发号 sign number {answer['sign_number']}"
    return DemoHolder(
        holder.id, holder.name, holder.social_security_number, card.card_number, password
    )


def _find_adult(site: Installation, batch_id: str) -> tuple[Card, Holder]:
    """A card of the batch whose holder is a good example."""
    with site.store.read() as tx:
        for card in cards.page(tx, batch_id=batch_id):
            holder = holders.get(tx, card.holder_id)
            # A resident of age: foreigners have no ethnic group, children come with a guardian.
            if holder is not None and holder.ethnic_group and holder.birth_on <= BORN_BY:
                return card, holder
    raise DeviationError("成年持卡人 a holder of age", None, "one")


def _by_two(site: Installation, proposer: Actor, approver: Actor, act: DangerousAct) -> Answer:
    proposed = site.kernel.propose(act, actor=proposer, request_id=new_request_id())
    return site.kernel.approve(
        proposed["approval_id"],
        content_hash=proposed["content_hash"],
        actor=approver,
        request_id=new_request_id(),
    )


def _make_password(holder: Holder) -> str:
    """Six random digits that the rules for passwords let through."""
    while True:
        password = f"{secrets.randbelow(10**6):06}"
        try:
            check_new_password(password, holder)
        except WeakPasswordError:
            continue
        return password
