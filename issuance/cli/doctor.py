"""`sscard doctor`: is everything here fit to serve?"""

import typer

from issuance.checkup import Grade, look
from issuance.cli import screen
from issuance.cli.desk import settings
from issuance.installation import utc_now


def doctor() -> None:
    """检查密码模块、随机源、密钥、数据库和时钟。
    Check cryptography, random source, keys, database and clock.

    不询问口令，也不作任何更改。一切正常时退出码为 0，否则为 1。
    Asks for no passphrase and changes nothing. Exit code 0 if all is well, else 1.
    """
    findings = list(look(settings(), utc_now()))
    screen.show_table(
        ["结果 Result", "项目 Item", "情况 Finding"],
        ((one.grade.value, one.about, one.seen) for one in findings),
    )
    bad = sum(one.grade is Grade.BAD for one in findings)
    if bad:
        screen.show_error(
            f"{bad} 项异常，见上表。", f"{bad} of these checks failed; see the table above."
        )
        raise typer.Exit(1)
    screen.say("一切正常。", "All is well.", style="green")
