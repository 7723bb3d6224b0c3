"""A bureau whose people can be mistaken for nobody, and everything that it leaves on the disk.

Folders of the journey: `in`, what people brought (rosters, passwords, keys); `meant`, what is meant
to hold a person's data and says so in the docs; `left`, everything else: home, logs, answers,
screens, backups, exports. Only `left` is searched, whole.
"""

import csv
import io
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from office import PASSPHRASE, PEOPLE, PIN, Office, first_people, password_of
from outside import Answer, Connection
from servers.postgresql import PostgreSQLServer
from servers.redis import RedisServer

from card_core.identity.number import check_character
from issuance.founding import Bureau, found
from issuance.roster.columns import TITLES
from issuance.settings import Settings
from tests.stranger import bank, card_maker

HOLDER_PASSWORD = "739164"
CLERK, DESK = "clerk-麤-0017", "desk-犇-0042"


@dataclass(frozen=True)
class Canary:
    """A person who is in no other test. texts: what belongs to them alone."""

    serial: int
    birth: str = "19770317"
    guardian: "Canary | None" = None

    @property
    def number(self) -> str:
        body = f"440604{self.birth}{self.serial:03d}"
        return body + check_character(body)

    @property
    def name(self) -> str:
        return f"龘靐{chr(0x9F50 + self.serial // 40)}{chr(0x5600 + self.serial)}"

    @property
    def phone(self) -> str:
        return f"1997{'731' if self.guardian is None else '732'}{self.serial:04d}"

    @property
    def address(self) -> str:
        return f"广东省佛山市禅城区麤犇路{self.birth[2:4]}{self.serial:04d}号"

    @property
    def texts(self) -> set[str]:
        return {self.number, self.name, self.phone, self.address}

    def fields(self) -> dict[str, str]:
        """As the operators' API takes them."""
        names = (
            "name", "certificate", "number", "sex", "ethnic_group", "birth_on", "phone", "address",
            "region", "kind", "bank", "branch", "guardian_name", "guardian_number",
        )  # fmt: skip
        found = dict(zip(names, self.row(), strict=True))
        return {name: text for name, text in found.items() if text and name != "kind"}

    def row(self) -> list[str]:
        sex = "男" if self.serial % 2 else "女"
        born = f"{self.birth[:4]}-{self.birth[4:6]}-{self.birth[6:]}"
        guardian = self.guardian
        return [
            self.name, "居民身份证", self.number, sex, "汉", born, self.phone, self.address,
            "440604", "新申领", "102", "440604015",
            guardian.name if guardian else "", guardian.number if guardian else "",
        ]  # fmt: skip


def roster(people: list[Canary], encoding: str = "gb18030") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([TITLES, *(one.row() for one in people)])
    return text.getvalue().encode(encoding)


@dataclass
class CanaryTown:
    """secrets: what belongs to somebody beside the people's texts, as the journey meets it."""

    folder: Path
    office: Office
    redis: RedisServer
    server: PostgreSQLServer | None
    secrets: set[str] = field(default_factory=set)
    card_numbers: set[str] = field(default_factory=set)
    said: int = 0
    logs: int = 0

    @property
    def left(self) -> Path:
        return self.folder / "left"

    @property
    def meant(self) -> Path:
        return self.folder / "meant"

    def run(self, *arguments: str, operator: str = "") -> str:
        """A command; its screen is kept. It may refuse, but never break."""
        result = self.office.run(*arguments, operator=operator)
        assert result.exit_code in {0, 1, 2}, (arguments, result.output)
        assert "Traceback" not in result.output
        self.keep(result.output.encode())
        return str(result.output)

    def done(self, *arguments: str, operator: str = "wang", shows_secret: bool = False) -> str:
        """shows_secret: its screen is where a secret is shown, once, and is not kept."""
        result = self.office.run(*arguments, operator=operator)
        assert result.exit_code == 0, (arguments, result.output)
        if not shows_secret:
            self.keep(result.output.encode())
        return str(result.stdout)

    def decided(self, *arguments: str, operator: str = "admin") -> str:
        """A dangerous command, approved by another person at the same computer."""
        return self.done(*arguments, "--with", "li", "--yes", operator=operator)

    def approved(self, *arguments: str, shows_secret: bool = False) -> str:
        """A dangerous command that leaves the approval to another person's."""
        said = self.done(*arguments, shows_secret=shows_secret)
        approval = re.findall(r"\b[0-9a-f]{32}\b", said)[-1]
        self.done("approval", "approve", approval, "--yes", operator="li")
        return said

    def keep(self, content: bytes) -> None:
        self.said += 1
        (self.left / f"said-{self.said:05d}").write_bytes(content)

    def asked(
        self, connection: Connection, method: str, target: str, body: object = None
    ) -> Answer:
        """A question of nobody's; the answer is kept where it is an error's."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        key = f'"{secrets.token_hex(8)}"'
        origin = f"http://{connection.address}"
        headers = {"Origin": origin, "Idempotency-Key": key}
        return self.noted(connection.ask(method, target, content, **headers))

    def noted(self, answer: Answer) -> Answer:
        if answer.status >= 400:
            self.keep(answer.content + repr(answer.headers).encode())
        return answer

    @property
    def environment(self) -> dict[str, str]:
        """Where whatever is temporary is searched, too."""
        temporary = self.left / "tmp"
        temporary.mkdir(exist_ok=True)
        return {**os.environ, **self.office.environment, "TMPDIR": str(temporary)}

    def everything(self) -> list[Path]:
        """Every file there is, and what databases hold, written out column by column."""
        dumped = self.left / "columns.sql"
        if self.server is None:
            database = self.office.settings.home.path / "sscard.db"
            with dumped.open("wb") as file:
                subprocess.run(["sqlite3", database, ".dump"], stdout=file, check=True, timeout=300)
        else:
            url = self.office.environment["SSCARD_DATABASE_URL"]
            command = ["pg_dump", "--inserts", f"--file={dumped}", url]
            subprocess.run(command, check=True, timeout=300)
        client = self.redis.client()
        values = [one for key in client.scan_iter() for one in (key, client.dump(key) or b"")]
        (self.left / "redis-values").write_bytes(b"\n".join(values))
        client.save()
        files = [one for one in self.left.rglob("*") if one.is_file()]
        if self.server is not None:
            self.server.checkpoint()
            home = self.server.home
            files += [
                *self.server.files_of(url), *(home / "data" / "pg_wal").glob("0*"), home / "log",
                *(one for one in (home / "data" / "global").iterdir() if one.is_file()),
            ]  # fmt: skip
            for dump in self.left.rglob("*.dump"):
                told = dump.with_suffix(".told")
                subprocess.run(["pg_restore", f"--file={told}", dump], check=True, timeout=300)
                files.append(told)
        return files


@contextmanager
def canary_town(folder: Path, server: PostgreSQLServer | None) -> Iterator[CanaryTown]:
    """Founded, everybody signed in; with a Redis whose files are not compressed."""
    for name in ("in", "meant", "left"):
        (folder / name).mkdir(parents=True)
    kept = ("save ''", "appendonly yes", "appendfsync always", "rdbcompression no")
    redis = RedisServer(folder / "left" / "redis", *kept)
    passphrase = folder / "in" / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    environment = {
        "SSCARD_HOME": str(folder / "left" / "home"),
        "SSCARD_KEY_PASSPHRASE_FILE": str(passphrase),
        "SSCARD_REDIS_URL": redis.url,
    }
    if server is not None:
        environment["SSCARD_DATABASE_URL"] = server.url(server.create())
    office = Office(folder / "in", environment)
    with ExitStack() as stack:
        redis.start()
        stack.callback(redis.kill)
        settings = Settings.from_environment(environment)
        bureau = Bureau(7, "FS", "Test bureau")
        found(settings, PASSPHRASE.encode(), bureau=bureau, people=first_people(office))
        office.sign_in(*PEOPLE)
        town = CanaryTown(folder, office, redis, server)
        town.secrets |= {PASSPHRASE, PIN, HOLDER_PASSWORD, CLERK, DESK}
        town.secrets |= {password_of(name) for name in PEOPLE}
        yield town


def through_bank(town: CanaryTown, batch: str) -> None:
    """The bank declines its third person; its file is the one that holds names in clear."""
    out = town.meant / f"{batch}-102.txt"
    town.done("batch", "bank-file", batch, "--bank", "102", "--out", str(out))
    head, rows = bank.read_opening(out.read_bytes())
    back = town.office.file(f"{batch}.back", bank.answer(head, rows, {"3": "08"}))
    town.done("batch", "bank-return", str(back))
    bad = town.office.file("bad.back", back.read_bytes().replace(b"|1|", b"|7|", 1))
    town.run("batch", "bank-return", str(bad), operator="wang")


def through_maker(town: CanaryTown, batch: str, works: object) -> list[card_maker.Card]:
    """Made but for the second card; the maker's file is searched like everything else."""
    town.decided("batch", "order", batch, "--maker", "M01", operator="wang")
    out = town.left / f"{batch}.ssc"
    town.done("batch", "maker-file", batch, "--out", str(out))
    found: list[card_maker.Card] = works.read(out)  # type: ignore[attr-defined]
    order = re.search(rb"[0-9a-f]{32}", out.read_bytes()[:120])
    assert order
    content = card_maker.answer(found, batch=order[0].decode(), issuer=7, failed={2: "05"})
    back = town.office.file("maker.back", content)
    town.done("batch", "maker-return", str(back))
    town.run("batch", "maker-return", str(town.office.file("cut", content[:-9])), operator="wang")
    town.done("batch", "dispatch", batch, "--branch", "440604015")
    return found
