"""Who acts: an operator signed in at this computer, and the installation in front of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from card_core.errors import NotAllowedError, SchemaOutdatedError, SessionEndedError
from card_core.kernel import Act, Actor, ActorKind, DangerousAct
from card_core.kernel.permissions import READERS, RULES, Reading
from card_core.sign_in import authenticate
from card_core.states import ServiceState
from card_core.store import audit, operators
from card_core.store.operators import Role
from issuance.batches import new_request_id
from issuance.cli import screen
from issuance.cli.words import word_of
from issuance.errors import IssuanceError, SettingsError
from issuance.installation import Installation, open_installation
from issuance.settings import Settings, read_secret

LOOPBACK = "127.0.0.1"

OperatorOption = Annotated[
    str | None,
    typer.Option(
        "--operator",
        envvar="SSCARD_OPERATOR",
        metavar="NAME",
        help="谁在操作（须已登录）。\n\nWho acts; must be signed in.",
    ),
]
YesOption = Annotated[
    bool, typer.Option("--yes", help="不再询问，直接确认。\n\nDon't ask, I am sure.")
]
SecondOption = Annotated[
    str | None,
    typer.Option(
        "--with",
        metavar="NAME",
        help="同在本机登录的复核人，当场生效。\n\nWho approves here and now, signed in too.",
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="密码取自文件第一行。\n\nRead the password from this file's first line.",
    ),
]


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator at work. `actor` is authenticated; the kernel reads its roles with each act.

    settings, passphrase: what the installation was opened with, for processes that help.
    """

    site: Installation
    actor: Actor
    settings: Settings = field(repr=False)
    passphrase: bytes = field(repr=False)

    def check_may(self, act: type[Act]) -> None:
        """Refuse before long work what the kernel would refuse after it. Raises IssuanceError."""
        self._check_has_one_of(RULES[act].roles)

    def check_may_read(self, what: Reading) -> None:
        """Raises IssuanceError."""
        self._check_has_one_of(READERS[what])

    def _check_has_one_of(self, needed: frozenset[Role]) -> None:
        with self.site.store.read() as tx:
            operator = operators.get(tx, self.actor.id)
        is_active = operator is not None and operator.state is ServiceState.ACTIVE
        if operator is None or not is_active or not operator.roles & needed:
            zh = "、".join(word_of(role) for role in sorted(needed))
            raise IssuanceError(
                NotAllowedError.code,
                f"{NotAllowedError.message_zh}。需要的角色：{zh}。",
                f"{NotAllowedError.message_en}. Needed role: {', '.join(sorted(needed))}.",
            )

    def perform(self, act: Act) -> dict[str, Any]:
        """Do an act that one person may do. Raises KernelError."""
        return self.site.kernel.perform(act, actor=self.actor, request_id=new_request_id())

    def propose(self, act: DangerousAct) -> None:
        """Hand a dangerous act to a second person, and say what they have to do."""
        proposed = self.site.kernel.propose(act, actor=self.actor, request_id=new_request_id())
        show_waiting(proposed["approval_id"])

    def decide(self, act: DangerousAct, second: str | None, *, yes: bool) -> bool:
        """Propose an act, and, where the second person is at this computer too, let them approve
        it here and now. Returns whether it is in effect.

        second: who approves, signed in here. Raises KernelError, IssuanceError, typer.Exit.
        """
        if second is None:
            self.propose(act)
            return False
        approver = signed_in(self.site, second)
        with self.site.store.read() as tx:
            screen.say(*act.summary(tx).split(" / ", 1))
        make_sure(f"{second} 确认同意？", f"{second}: approve?", yes=yes)
        proposed = self.site.kernel.propose(act, actor=self.actor, request_id=new_request_id())
        self.site.kernel.approve(
            proposed["approval_id"],
            content_hash=proposed["content_hash"],
            actor=approver,
            request_id=new_request_id(),
        )
        return True


def make_sure(question_zh: str, question_en: str, *, yes: bool) -> None:
    """Go on only after a yes. Raises typer.Exit."""
    if not yes and not screen.confirm(question_zh, question_en, instead="--yes"):
        screen.say("未作任何更改。", "Nothing was changed.")
        raise typer.Exit(1)


def show_waiting(approval_id: str) -> None:
    screen.say(
        f"已提交，待另一人复核。复核编号 {approval_id}",
        f"Proposed; another person has to approve it. Approval id {approval_id}",
    )
    screen.hint(f"sscard approval approve {approval_id} --operator …")


def settings() -> Settings:
    return Settings.from_environment(os.environ)


@contextmanager
def opened_site() -> Iterator[Installation]:
    """The installation that the environment names, unlocked. Raises as open_installation."""
    chosen = settings()
    # Is there a home at all? Before anybody types a passphrase.
    chosen.home.facts()
    with _unlocked(chosen, passphrase(chosen)) as site:
        yield site


@contextmanager
def _unlocked(chosen: Settings, words: bytes) -> Iterator[Installation]:
    try:
        with open_installation(chosen, words) as site:
            yield site
    except SchemaOutdatedError:
        raise SettingsError(
            "database_not_current",
            "数据库结构与本程序版本不符。请运行 sscard upgrade；若仍不符，请升级 sscard 本身。",
            "The database's structure doesn't fit this program. Run sscard upgrade; if that "
            "doesn't help, upgrade sscard itself.",
        ) from None


def passphrase(chosen: Settings) -> bytes:
    """From the file that is set, or asked for."""
    if chosen.passphrase_file:
        return read_secret(chosen.passphrase_file)
    typed = screen.ask_secret("密钥口令", "Key passphrase", instead="SSCARD_KEY_PASSPHRASE_FILE")
    return typed.encode()


@contextmanager
def opened_desk(operator: str | None, reads: Reading | None = None) -> Iterator[Desk]:
    """The installation with `operator` at it. reads: what the command shows them.

    Raises IssuanceError when they aren't signed in, or may not read it.
    """
    if not operator:
        raise IssuanceError(
            "operator_missing",
            "请说明由谁操作：--operator 登录名，或设置 SSCARD_OPERATOR。",
            "Say who acts: --operator NAME, or set SSCARD_OPERATOR.",
        )
    chosen = settings()
    chosen.home.facts()
    if chosen.home.session(operator) is None:
        raise not_signed_in(operator)
    words = passphrase(chosen)
    with _unlocked(chosen, words) as site:
        with site.store.read() as tx:
            audit.follow(tx, None)  # an operator whose old row was put back has no role by it
        desk = Desk(site, signed_in(site, operator), chosen, words)
        if reads is not None:
            desk.check_may_read(reads)
        yield desk


def signed_in(site: Installation, operator: str) -> Actor:
    """Who is signed in at this computer under this name. Raises IssuanceError."""
    token = site.home.session(operator)
    if token is None:
        raise not_signed_in(operator)
    try:
        actor = authenticate(site.kernel, token)
    except SessionEndedError:
        site.home.drop_session(operator)
        raise not_signed_in(operator) from None
    if actor.kind is not ActorKind.OPERATOR:
        raise not_signed_in(operator)
    return actor


def not_signed_in(operator: str) -> IssuanceError:
    return IssuanceError(
        "not_signed_in",
        f"{operator} 尚未登录或登录已失效。请运行 sscard operator sign-in {operator}。",
        f"{operator} is not signed in, or no longer. Run sscard operator sign-in {operator}.",
    )
