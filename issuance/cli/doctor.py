"""`sscard doctor`: is everything here fit to serve?"""

from typing import Annotated

import typer

from issuance.checkup import Grade, look
from issuance.cli import screen
from issuance.cli.desk import settings
from issuance.installation import utc_now


def doctor(
    metrics: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="运行中的服务的指标端口，一并检查 The metrics port of a running service, to be "
            "looked at, too.",
        ),
    ] = None,
) -> None:
    """检查密码模块、密钥、数据库、快速核销库、时钟和各项限制，指出哪里慢、哪里配置有误。
    Check cryptography, keys, database, fast store, clocks and limits; say what is slow or wrong.

    不询问口令，也不作任何更改。没有异常时退出码为 0，否则为 1。
    Asks for no passphrase and changes nothing. Exit code 0 if nothing failed, else 1.
    """
    findings = list(look(settings(), utc_now(), metrics_port=metrics))
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
