"""`sscard keys field`: versions of the key that personal data is sealed with."""

from typing import Annotated

import typer

from card_core.errors import NotFoundError
from card_core.kernel.acts.field_keys import ActivateFieldKey, DestroyFieldKey
from card_core.kernel.dates import SHANGHAI
from card_core.store import Store, field_keys
from card_core.store.field_keys import FIRST_VERSION, VERSION_MAX, FieldKeyState
from issuance import field_key_files
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk

app = typer.Typer(
    help="个人信息加密密钥：更换、销毁。\nThe field key: rotate, destroy.", no_args_is_help=True
)
VersionArgument = Annotated[
    int,
    typer.Argument(
        metavar="VERSION", min=FIRST_VERSION, max=VERSION_MAX, help="版本。\n\nThe version."
    ),
]


@app.command("list")
def list_versions(operator: OperatorOption = None) -> None:
    """列出各版本及重新加密的进度。
    List the versions and how far re-sealing is.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            known, progress = field_keys.versions(tx), field_keys.progress(tx)
        here = set(desk.site.keys.names())
    screen.show_table(
        ["版本 Version", "状态 State", "自 Since", "密钥在本机 Here"],
        [
            (
                key.version,
                key.state.value,
                f"{key.since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                "有 yes" if field_key_files.name_of(key.version) in here else "无 no",
            )
            for key in known
        ]
        or [(FIRST_VERSION, FieldKeyState.ACTIVE.value, None, "有 yes")],
    )
    if progress:
        screen.show_table(
            ["表 Table", "版本 Version", "完成 Done"],
            [(one.table, one.version, "是 yes" if one.is_done else "否 no") for one in progress],
        )


@app.command()
def rotate(
    second: SecondOption = None, yes: YesOption = False, operator: OperatorOption = None
) -> None:
    """生成下一版并启用（须另一人复核），后台随即重新加密。
    Make and activate the next version; two people.

    有多台机器时，复核前先把新密钥文件复制到每一台。 With several machines, copy the new key file to
    each of them before the approval.
    """
    with opened_desk(operator) as desk:
        desk.check_may(ActivateFieldKey)
        with desk.site.store.read() as tx:
            known = field_keys.versions(tx)
        version = (known[-1].version if known else FIRST_VERSION) + 1
        field_key_files.make(desk.site.keys, version)
        screen.say(
            f"密钥文件 {field_key_files.name_of(version)} 已生成。请复制到每台机器并备份，再复核。",
            f"The key file {field_key_files.name_of(version)} is made. Copy it to every machine "
            "and back it up, then have it approved.",
        )
        act = ActivateFieldKey(version, desk.site.store.cipher.check_value(version))
        if desk.decide(act, second, yes=yes):
            screen.say(
                "已启用；sscard serve 在后台重新加密已有数据。",
                "Activated; sscard serve seals what is there anew in the background.",
            )


@app.command()
def destroy(
    version: VersionArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """销毁已无数据使用的旧版（须另一人复核）。
    Destroy a version that seals nothing; two people.

    复核后在每台机器上再运行一次，删除其密钥文件。 Run it again on each machine once it is approved,
    to delete the file there.
    """
    with opened_desk(operator) as desk:
        desk.check_may(DestroyFieldKey)
        if not _is_destroyed(desk.site.store, version) and not desk.decide(
            DestroyFieldKey(version), second, yes=yes
        ):
            return
        field_key_files.destroy(desk.site.keys, version)
        screen.say(
            "本机的密钥文件已删除。各处备份中的副本须另行销毁。",
            "The key file on this machine is deleted. Copies in backups have to be destroyed, too.",
        )


def _is_destroyed(store: Store, version: int) -> bool:
    with store.read() as tx:
        for key in field_keys.versions(tx):
            if key.version == version:
                return key.state is FieldKeyState.DESTROYED
    raise NotFoundError("field key")
