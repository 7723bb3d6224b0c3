"""The operators of the demonstration at the bureau's desk, each by a ticket of their own key."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import httpx2

from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.sign_in import by_key
from issuance.batches import new_request_id
from issuance.cli.demo.bureau import Colleague, Staff
from issuance.cli.demo.counter import ANSWER_SECONDS
from issuance.cli.demo.folder import DemoFolder
from issuance.cli.demo.steps import Steps
from issuance.cli.desk_ticket import ask_ticket
from issuance.files import write_whole
from issuance.installation import Installation

HOSPITAL = DesignateInstitution("H44060400001", "演示医院", "hospital", "440604")
_SCRIPT_MODE = 0o700


def leave_waiting(steps: Steps, site: Installation, staff: Staff) -> None:
    """What the checker finds at the desk."""
    with steps.step("经办提交一家医院，待复核", "A hospital, left waiting") as step:
        proposed = site.kernel.propose(HOSPITAL, actor=staff.maker, request_id=new_request_id())
        step.result = f"SM3 {proposed['content_hash'][:16]}…"


def sign_in(steps: Steps, url: str, people: dict[str, Colleague]) -> None:
    """Maker and checker, each with a ticket typed into a browser; and what the checker sees."""
    for name, zh in (("maker", "经办用密钥登录经办台"), ("checker", "复核用密钥登录经办台")):
        one = people[name]
        with (
            steps.step(zh, f"The {name} at the desk") as step,
            httpx2.Client(
                base_url=url, headers={"Origin": url}, timeout=ANSWER_SECONDS, trust_env=False
            ) as page,
        ):
            ticket = ask_ticket(url, name, one.person.password, by_key(one.sign))
            entered = page.post("/v1/operator/sign-ins/by-ticket", json={"ticket": ticket})
            step.expect("登录 sign-in", entered.status_code, 201)
            who = page.get("/v1/operator/session").json()["name"]
            step.expect("登录名 name", who, name)
            waiting = page.get("/v1/operator/approvals").json()["approvals"]
            step.expect("待复核事项 approvals", len(waiting), 1)
            step.result = f"{one.person.display_name}, 待复核 approvals {len(waiting)}"


def write_command(folder: DemoFolder, url: str) -> str:
    """A command that gives a ticket for the operator that it is told; as a newcomer types it.

    What it names are files of the demonstration; each ticket is new, and good for a minute.
    """
    command = shutil.which("sscard") or sys.argv[0]
    own = '"$(dirname "$0")/operators/$1/{}"'
    words = (
        f"exec {shlex.quote(str(Path(command).absolute()))} operator desk",
        f'"$1" --console {shlex.quote(url)}',
        f"--key {own.format('key')} --pin-file {own.format('pin')}",
        f"--password-file {own.format('password')}",
    )
    script = "#!/bin/sh\n# desk maker | checker | admin | security\n" + " \\\n  ".join(words) + "\n"
    write_whole(folder.desk_command, script.encode(), mode=_SCRIPT_MODE)
    return shown(folder.desk_command)


def shown(path: Path) -> str:
    """As one would type it here."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near
