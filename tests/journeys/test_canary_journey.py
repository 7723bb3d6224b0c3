"""A thousand people go the whole way, and nothing of theirs stands in clear in what is left.

From the roster to the audit log's export, with mistakes at each step, by real processes: commands,
service, console and counter. Then every file is searched that the installation has or had open.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from canaries import Hit, search, spellings
from canary_town import (
    CLERK,
    DESK,
    HOLDER_PASSWORD,
    Canary,
    CanaryTown,
    canary_town,
    roster,
    through_bank,
    through_maker,
)
from maker_works import MakerWorks
from office import PASSPHRASE, PIN, password_of
from outside import Connection, Holder, Terminal
from phone import PhoneApp, day_ends
from running_service import serving, until
from servers.ports import free_port
from servers.postgresql import PostgreSQLServer
from terminal_process import PASSPHRASE as TERMINAL_PASSPHRASE
from terminal_process import Counter, counter_at

from card_core.kernel import Act, Actor, ActorKind
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence
from card_core.sign_in import hash_password
from card_core.store import cards, holders, operators
from card_core.store.cards import Card
from crypto.keys import KeyFiles
from issuance.batches import find_batch, new_request_id
from issuance.cli.second_factor import KEY_NAME
from issuance.installation import Installation, open_installation, random_bytes, utc_now

BATCH = "canaries"
HOSPITAL, PHARMACY = "H44060400001", "P44060400002"
COUNTER = "00000000000000d7"
WAIT_SECONDS = 120
NOT_READY = 503
HANDED_IN = '"route": "/v1/offline-scans", "status": 200'
# Whoever sends what does not belong there, and looks at all the pages: one of so many.
OFTEN = 12


def people_of(count: int) -> list[Canary]:
    """Of the first three two are left without a card. The last two are children of two others."""
    adults = [Canary(serial) for serial in range(count - 2)]
    wards = [Canary(count - 2 + at, "20190317", adults[3 + at]) for at in range(2)]
    return [*adults, *wards]


def to_cards(town: CanaryTown, people: list[Canary]) -> None:
    """Rosters with mistakes, a batch, bank and maker."""
    spoilt = roster(people[:3]).replace(b"1977-03-17", b"1977-13-17", 2)
    bad = str(town.office.file("bad.csv", spoilt))
    town.run("roster", "check", bad, "--report", str(town.left / "report.json"))
    town.run("roster", "import", str(town.office.file("no.xlsx", spoilt)), operator="wang")
    town.run("roster", "import", bad, operator="security")
    file = str(town.office.file("roster.csv", roster(people)))
    town.done("roster", "import", file, "--name", BATCH)
    town.run("roster", "import", file, "--name", "again", operator="wang")
    town.run("batch", "approve", BATCH, "--yes", operator="wang")
    town.done("batch", "approve", BATCH, "--yes", operator="li")
    town.done("batch", "issue", BATCH)
    works = MakerWorks(town.office)
    works.register()
    through_bank(town, BATCH)
    assert len(through_maker(town, BATCH, works)) == len(people) - 1


def cards_of(site: Installation) -> dict[str, Card]:
    """Each person's card, by the person's number."""
    found: dict[str, Card] = {}
    after = ""
    with site.store.read() as tx:
        batch_id = find_batch(tx, BATCH).id
        while page := cards.page(tx, batch_id=batch_id, after=after):
            for card in page:
                found[holders.identity_of(tx, card.holder_id).social_security_number] = card
            after = page[-1].id
    return found


def in_hand(town: CanaryTown, people: list[Canary]) -> dict[str, str]:
    """The first by command, the others by the same acts; the numbers of everybody's cards."""
    password = str(town.office.file("holder", HOLDER_PASSWORD))
    with open_installation(town.office.settings, PASSPHRASE.encode()) as site:
        found = cards_of(site)
        first, failed = (found[one.number].card_number for one in people[:2])
        for number in (first, failed):
            activated = ("card", "activate", number, "--e-card", "--password-file", password)
            town.run(*activated, operator="wang")
        with site.store.read() as tx:
            wang = operators.find_by_name(tx, "wang")
        assert wang is not None
        actor = Actor(ActorKind.OPERATOR, wang.id)
        hashed = hash_password(HOLDER_PASSWORD, pepper=site.pepper, random_bytes=random_bytes)
        for one in people[3:]:
            card_id = found[one.number].id
            evidence = Evidence.GUARDIAN_DOCUMENT if one.guardian else Evidence.IDENTITY_DOCUMENT
            perform(site, ActivateCard(card_id, evidence), actor)
            perform(site, ActivateECard(card_id, hashed), actor)
    return {number: card.card_number for number, card in found.items()}


def perform(site: Installation, act: Act, actor: Actor) -> None:
    site.kernel.perform(act, actor=actor, request_id=new_request_id())


def enrolled(town: CanaryTown, serial: str, institution: str) -> str:
    said = town.approved(
        "terminal", "prepare", serial, "--institution", institution, shows_secret=True
    )
    code = re.findall(r"(?:\w{5}-){3}\w{5}", said)[0]
    town.secrets |= {code, code.replace("-", "")}
    return code


def scans(town: CanaryTown, address: str, people: list[Canary]) -> None:
    """Holders and terminals, rightful and not; two families, a loss, a phone, an export."""
    terminal = Terminal("00000000000000a1", Connection(address))
    terminal.enrol(enrolled(town, terminal.serial, HOSPITAL))
    clerk = {"operator": CLERK, "department": DESK}
    for at, one in enumerate(people):
        holder = Holder(Connection(address), one.number, HOLDER_PASSWORD)
        town.secrets.add(holder._cookie.partition("=")[2])
        shown = accepted_code(town, terminal, holder, ("any_use", "identify_only")[at % 2])
        assert terminal.scan(shown["text"], **clerk).word == "already_used"
        if at % OFTEN == 0:
            town.noted(terminal.scan(one.number, **clerk))
            town.noted(terminal.scan(shown["text"], "09999", **{one.name: one.phone}))
            for target in ("card", "scans", "family", "applications", "devices"):
                page = holder.get(f"/v1/holder/{target}")
                town.keep(json.dumps(page, ensure_ascii=False).encode())
    mistakes(town, Connection(address), people[0])
    family(town, address, people)
    exported = holder.post("/v1/holder/exports", password=HOLDER_PASSWORD)
    assert one.number in exported.content.decode(), exported
    town.noted(holder.post("/v1/holder/exports", password=one.number))
    town.noted(holder.report_loss())
    town.noted(holder.post("/v1/holder/loss-withdrawals", password=one.phone))


def accepted_code(
    town: CanaryTown, terminal: Terminal, holder: Holder, purpose_class: str
) -> dict[str, Any]:
    """One that was accepted: while the fast store takes a new epoch, another one is shown; where
    the service can't decide, as after its disk or machine stood still, it is asked again."""
    wanted = {"short": purpose_class == "any_use", "purpose_class": purpose_class}
    tried: list[dict[str, Any]] = []

    def accepted() -> bool:
        answer = holder.post("/v1/holder/codes", **wanted)
        if answer.status == NOT_READY:
            return False
        assert answer.status == 201, answer
        tried.append(answer.body)
        found = terminal.scan(tried[-1]["text"], operator=CLERK, department=DESK)
        return found.word == "accepted"

    assert until(accepted, WAIT_SECONDS)
    for shown in tried:
        town.secrets |= {str(shown[name]) for name in ("text", "short_code") if shown[name]}
    return tried[-1]


def mistakes(town: CanaryTown, nobody: Connection, one: Canary) -> None:
    """What somebody sends where it does not belong."""
    for body in (
        {"social_security_number": one.number, "password": one.phone},
        {"social_security_number": one.name, "password": HOLDER_PASSWORD},
        {one.number: one.address},
        [one.name],
    ):
        town.asked(nobody, "POST", "/v1/holder/sign-ins", body)
    for target in (f"/v1/{one.number}", f"/holder?name={one.number}", f"/v1/scans/{one.phone}/x"):
        town.asked(nobody, "GET", target)
        town.asked(nobody, "POST", target, {"name": one.name})
    head = {"Authorization": f'SSCARD-SM2 terminal="{one.number}"', "X_Name": one.phone}
    town.noted(nobody.ask("POST", "/v1/scans", json.dumps(one.row()).encode(), **head))
    for raw in (f"GET /{one.number} HTTP/9\r\n\r\n", f"{one.phone} / HTTP/1.1\r\n\r\n"):
        broken = Connection(nobody.address)
        broken.socket.sendall(raw.encode())
        town.keep(broken.socket.recv(4096))


def family(town: CanaryTown, address: str, people: list[Canary]) -> None:
    """Two adults, and a guardian with a ward: bound, shown, applied for."""
    parent, child = (Holder(Connection(address), one.number, HOLDER_PASSWORD) for one in people[:2])
    offered = parent.post("/v1/holder/family/offers").body
    town.secrets.add(offered["consent_code"])
    taken = child.post(
        "/v1/holder/family/members", consent_code=offered["consent_code"], relation="parent"
    )
    assert taken.status == 201, taken
    shown = child.post(f"/v1/holder/family/members/{taken.body['family_member_id']}/codes")
    town.secrets.add(str(shown.body["text"]))
    for consent in (people[2].number, "7KQMX-2VTNC-9RZ4D-WH3SP"):
        town.noted(child.post("/v1/holder/family/members", consent_code=consent))
    wrong = Canary(1, "20200317", people[0]).fields()
    asked = {name: text for name, text in wrong.items() if "guardian" not in name}
    for change in ({}, {"number": people[0].number}, {"name": people[0].number}):
        town.noted(parent.post("/v1/holder/applications", kind="new", child=asked | change))
    town.secrets |= Canary(1, "20200317", people[0]).texts
    town.keep(json.dumps(parent.get("/v1/holder/applications"), ensure_ascii=False).encode())


def at_windows(town: CanaryTown, url: str, people: list[Canary]) -> None:
    """The console: sign-ins, an application, searches; with mistakes."""
    newcomer = Canary(700, "19780317")
    town.secrets |= newcomer.texts
    root = "/v1/operator"
    with httpx2.Client(base_url=url, timeout=30, trust_env=False) as http:

        def post(path: str, body: Any, **headers: str) -> Any:
            answer = http.post(f"{root}{path}", json=body, headers=headers)
            if answer.status_code >= 400:
                town.keep(answer.content + repr(dict(answer.headers)).encode())
            return answer

        asked = post("/challenges", {"name": "wang"}).json()
        key = KeyFiles.open(town.office.folder / "wang.key", PIN.encode()).signer(KEY_NAME)
        signature = key.sign(bytes.fromhex(asked["challenge"])).hex()
        proof = {"attempt": asked["attempt"], "signature": signature}
        post("/sign-ins", proof | {"password": people[0].number})
        post("/challenges", {"name": people[0].number})
        asked = post("/challenges", {"name": "wang"}).json()
        signature = key.sign(bytes.fromhex(asked["challenge"])).hex()
        proof = {"attempt": asked["attempt"], "signature": signature}
        token = post("/sign-ins", proof | {"password": password_of("wang")}).json()["token"]
        town.secrets.add(token)
        by = {"Authorization": f"Bearer {token}", "Idempotency-Key": '"canary"'}
        fields = newcomer.fields()
        for wrong in ({"number": people[0].number}, {"sex": people[1].name}, {"x": "麤"}):
            body = {"fields": fields | wrong, "evidence": "identity_document"}
            post("/applications", body, **by | {"Idempotency-Key": f'"{min(wrong)}"'})
        filed = post("/applications", {"fields": fields, "evidence": "identity_document"}, **by)
        assert filed.status_code == 201, filed.text
        for text in (people[0].number, newcomer.phone, newcomer.number):
            town.keep(post("/searches", {"text": text}, **by).content)
        for path in (f"/holders/{people[0].number}", "/approvals", "/applications"):
            town.keep(http.get(f"{root}{path}", headers=by).content)


@contextmanager
def served(town: CanaryTown, *options: str, command: str = "serve") -> Iterator[str]:
    """`sscard serve`, or another such command; its address. Each one's log is kept."""
    # Options that come twice count the second time.
    with serving(town.left, town.environment, *options, command=command) as service:
        yield service.address
        assert service.stop() == 0, service.log
    town.logs += 1
    service.log_file.rename(town.left / f"{command}-{town.logs}.log")


@contextmanager
def counter_of(town: CanaryTown, url: str, stranger: Canary) -> Iterator[Counter]:
    """A counter's process, enrolled at the service, that has the status lists."""
    folder = town.left / "terminal"
    # Beside the terminal's folder, where the counter's process looks for it.
    secret = town.left / "passphrase"
    secret.write_text(TERMINAL_PASSPHRASE + "\n")
    key = ("--folder", str(folder), "--passphrase-file", str(secret))
    town.done("terminal", "init", "--serial", COUNTER, *key)
    code = enrolled(town, COUNTER, HOSPITAL)
    shown = town.done("offline", "status-key", operator="admin")
    town.done("terminal", "trust", re.findall(r"status\.7\.1:\w{66}", shown)[0], *key[:2])
    town.run("terminal", "enrol", "--service", url, "--code", stranger.number, *key)
    town.done("terminal", "enrol", "--service", url, "--code", code, *key)
    with counter_at(folder, url) as counter:
        assert until(lambda: list((folder / "offline").glob("list-7-*")), WAIT_SECONDS)
        counter.scan(stranger.number, "online")
        yield counter
    secret.unlink()
    (town.left / "terminal.log").rename(town.left / "counter.log")


def registered(url: str, one: Canary) -> PhoneApp:
    with httpx2.Client(base_url=url, headers={"Origin": url}, trust_env=False, timeout=60) as http:
        signed_in = {"social_security_number": one.number, "password": HOLDER_PASSWORD}
        http.post("/v1/holder/sign-ins", json=signed_in).raise_for_status()
        app = PhoneApp(http)
        app.register(password=HOLDER_PASSWORD).raise_for_status()
        app.fetch(day_ends(utc_now(), 2)).raise_for_status()
    return app


def offline(town: CanaryTown, counter: Counter, app: PhoneApp, one: Canary) -> None:
    """A phone's code at the counter while there is no service, and what is no code."""
    text = app.phone.show(utc_now())
    town.secrets.add(text)
    assert counter.scan(text, "r1")["offline"] is True
    for at, wrong in enumerate((text, one.number, one.name)):
        town.keep(json.dumps(counter.scan(wrong, f"bad-{at}")).encode())


def at_the_end(town: CanaryTown, people: list[Canary], card: dict[str, str]) -> None:
    """Corrections, losses, ends; and whatever is written out for somebody."""
    first, second, other = (card[one.number] for one in people[3:6])
    ward, guardian = card[people[-1].number], card[people[4].number]
    reference = town.office.file("reference", "户口簿犇-0042")
    town.secrets.add("户口簿犇-0042")
    town.decided(
        "family", "bind-guardian", ward, "--guardian", guardian, "--evidence",
        "household_register", "--reference-file", str(reference), operator="wang",
    )  # fmt: skip
    name = town.office.file("name", "龘靐麤改")
    town.secrets.add("龘靐麤改")
    town.decided("holder", "correct", other, "--name-file", str(name), operator="wang")
    town.done("card", "report-loss", first, "--formal")
    town.decided("card", "replace", first, operator="wang")
    town.approved("card", "cancel", second, "--reason", "moved_away")
    number = town.office.file("number", people[6].number)
    for command in (
        ("holder", "show", f"@{number}"), ("holder", "show", people[6].number),
        ("card", "show", first), ("card", "show", people[6].number), ("card", "list", BATCH),
        ("holder", "duplicates"), ("approval", "list"), ("application", "list"),
        ("figures", "--by", "region"), ("batch", "making", BATCH), ("family", "list", ward),
    ):  # fmt: skip
        town.run(*command, operator="wang")
    mine = town.meant / "mine.json"
    town.done("holder", "export", f"@{number}", "--out", str(mine))
    assert people[6].number in mine.read_text()
    for name in ("figures.csv", "figures.xlsx"):
        town.done("figures", "--out", str(town.left / name), operator="auditor")
    town.done("audit", "verify", operator="auditor")
    town.done("audit", "export", str(town.left / "audit.jsonl"), operator="auditor")
    town.done("backup", str(town.left / "backup"), operator="")
    town.run("doctor")


def whole_way(town: CanaryTown, people: list[Canary], *options: str) -> None:
    to_cards(town, people)
    card = in_hand(town, people)
    for institution in (HOSPITAL, PHARMACY):
        town.approved("institution", "designate", institution, "--name", "某机构")
    port, numbers_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    options = ("--port", str(port), *options)
    with ExitStack() as stack:
        with served(town, "--metrics", str(numbers_port), *options) as address:
            app = registered(url, people[7])
            scans(town, address, people[3:])
            counter = stack.enter_context(counter_of(town, url, people[6]))
            numbers = httpx2.get(f"http://127.0.0.1:{numbers_port}/metrics", trust_env=False)
            assert b'route="/v1/scans"' in numbers.content
            town.keep(numbers.content)
        offline(town, counter, app, people[7])
        with served(town, *options):
            log = town.left / "service.log"
            assert until(lambda: HANDED_IN in log.read_text(), WAIT_SECONDS)
    with served(town, command="console") as address:
        at_windows(town, f"http://{address}", people)
    at_the_end(town, people, card)
    town.secrets |= {text for one in people for text in one.texts}
    town.card_numbers |= set(card.values())


@pytest.mark.parametrize(
    ("database", "count"),
    [
        ("sqlite", 40),
        pytest.param("sqlite", 1000, marks=pytest.mark.long),
        pytest.param("postgresql", 1000, marks=pytest.mark.long),
    ],
)
def test_nothing_of_anybody_is_left_in_clear(
    database: str, count: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: PostgreSQLServer | None = None
    options: tuple[str, ...] = ()
    if database == "postgresql":
        server, options = request.getfixturevalue("postgresql"), ("--workers", "2")
    people = people_of(count)
    with ExitStack() as stack:
        town = stack.enter_context(canary_town(tmp_path / "t", server))
        whole_way(town, people, *options)
        files = town.everything()
        assert search(town.secrets, files) == set()
        # Cards are known to the bureau by their numbers: of logs and answers that is not true.
        logs = [one for one in files if one.suffix == ".log"]
        assert search(town.card_numbers, logs) == set()
        print(f"{len(people)} people, {len(town.secrets)} texts, {len(files)} files")
        finds_what_is_there(town, files, people[-1])


def finds_what_is_there(town: CanaryTown, files: list[Path], one: Canary) -> None:
    """In the same files: what is meant to hold a person's data, and each spelling, planted."""
    assert search(one.texts, town.meant.iterdir())
    written = spellings(one.name) | spellings(one.number)
    for at, spelt in enumerate(written.values()):
        (town.left / f"planted-{at}").write_bytes(bytes(99) + spelt + bytes(9))
    planted = [*town.left.glob("planted-*")]
    found = search(town.secrets, [*files, *planted])
    assert {hit.place for hit in found} == {path.name for path in planted}
    assert all(isinstance(hit, Hit) for hit in found)
