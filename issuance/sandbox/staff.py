"""Who works at a sandbox, and the check that an installation is one.

Two people must agree on much, and whoever tests a terminal is one person at most. So a sandbox is
founded with four operators of its own, under whose names the acts stand in the log. Their
passwords are thrown away: nobody can sign in as one of them.
"""

import secrets
from dataclasses import dataclass

from card_core.errors import TamperedRowError
from card_core.kernel import Act, Actor, ActorKind, Answer, DangerousAct
from card_core.store import Reader, issuers, operators
from card_core.store.operators import Role
from issuance.batches import new_request_id
from issuance.errors import SandboxError
from issuance.founding import NewPerson
from issuance.installation import Installation

_STAFF = {
    "sandbox-admin": ("沙箱系统管理员", Role.ADMINISTRATOR),
    "sandbox-security": ("沙箱安全管理员", Role.SECURITY),
    "sandbox-maker": ("沙箱经办", Role.MAKER),
    "sandbox-checker": ("沙箱复核", Role.CHECKER),
}


def new_staff() -> list[NewPerson]:
    """The four, for the founding of a sandbox."""
    return [
        NewPerson(name, display_name, frozenset({role}), secrets.token_urlsafe(32))
        for name, (display_name, role) in _STAFF.items()
    ]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """An installation that was founded as a sandbox; made by `open_sandbox` alone."""

    site: Installation
    maker: Actor
    checker: Actor

    def perform(self, act: Act, *, actor: Actor | None = None, request_id: str = "") -> Answer:
        """Do an act as the maker, or as somebody else. Raises KernelError, StoreError."""
        return self.site.kernel.perform(
            act, actor=actor or self.maker, request_id=request_id or new_request_id()
        )

    def decide(self, act: DangerousAct) -> Answer:
        """Propose it as the maker, approve it as the checker. Raises KernelError, StoreError."""
        return self.approve(
            self.site.kernel.propose(act, actor=self.maker, request_id=new_request_id())
        )

    def approve(self, proposed: Answer) -> Answer:
        return self.site.kernel.approve(
            proposed["approval_id"],
            content_hash=proposed["content_hash"],
            actor=self.checker,
            request_id=new_request_id(),
        )


def is_sandbox(site: Installation) -> bool:
    """Whether it was founded as one. Raises StoreError, also where the row was tampered with."""
    with site.store.read() as tx:
        own = issuers.own(tx)
    return own is not None and own.is_sandbox


def open_sandbox(site: Installation) -> Sandbox:
    """Raises SandboxError where the installation was not founded as a sandbox, or where the row
    that says so was tampered with; StoreError."""
    try:
        if not is_sandbox(site):
            raise _no_sandbox()
    except TamperedRowError:
        raise _no_sandbox() from None
    with site.store.read() as tx:
        maker, checker = (_actor(tx, name) for name in ("sandbox-maker", "sandbox-checker"))
    return Sandbox(site, maker, checker)


def _actor(tx: Reader, name: str) -> Actor:
    found = operators.find_by_name(tx, name)
    if found is None:
        raise _no_sandbox()
    return Actor(ActorKind.OPERATOR, found.id)


def _no_sandbox() -> SandboxError:
    return SandboxError(
        "not_a_sandbox",
        "本安装不是沙箱，不能按需生成测试码：这里的持卡人和机构可能是真实的，测试码会留下真实的"
        "核验记录。沙箱只能在建立时选定，之后不能更改；请用 sscard init --sandbox 另建一个安装。",
        "This installation is not a sandbox and makes no codes for tests: its holders and "
        "institutions may be real, and such codes would leave real records of scans. An "
        "installation becomes a sandbox at its founding or never; make another one with sscard "
        "init --sandbox.",
    )
