"""Acts on the field key: seal under the next version, seal rows anew, end the version before.

Keys never come here: an act carries the check value, by which every machine sees that its own key
of the version is the same one.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from card_core.errors import (
    FieldKeyInUseError,
    InvalidActError,
    NotFoundError,
    TooEarlyError,
    WrongStateError,
)
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.store import Reader, Transaction, field_keys
from card_core.store.cipher import CHECK_VALUE_SIZE_BYTES
from card_core.store.field_keys import FIRST_VERSION, TABLES, VERSION_MAX, FieldKey, FieldKeyState

# Until every process that runs seals under the next version, with room to spare: they look when
# they begin to write and have not looked for 2 s, and no transaction lasts for a minute.
RESEAL_AFTER = timedelta(minutes=1)
# Before that the file of the version is not to be deleted, whatever the rows say.
DESTROY_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ActivateFieldKey(DangerousAct):
    """Seal under this version from now on; the one before opens what it has sealed.

    check_value: `FieldCipher.check_value` of the key, which must be on every machine by now.
    Raises WrongStateError where rows are still sealed under the version before that.
    """

    act: ClassVar[str] = "activate_field_key"

    version: int
    check_value: bytes

    def __post_init__(self) -> None:
        limits.check_range("version", self.version, FIRST_VERSION + 1, VERSION_MAX)
        limits.check_size("check_value", self.check_value, CHECK_VALUE_SIZE_BYTES)

    def summary(self, tx: Reader) -> str:
        return (
            f"启用个人信息加密密钥第 {self.version} 版，校验值 {self.check_value.hex()} / "
            f"Seal personal data under field key {self.version}, check value "
            f"{self.check_value.hex()}"
        )

    def apply(self, scene: Scene) -> Done:
        field_keys.lock(scene.tx)
        known = field_keys.versions(scene.tx) or [_first(scene)]
        for key in known:
            if key.state is FieldKeyState.RETIRED:
                raise WrongStateError("field key", key.state)
        if self.version != known[-1].version + 1:
            raise InvalidActError("version", "应为下一版本号", "must be the next version")
        if scene.tx.cipher.check_value(self.version) != self.check_value:
            raise InvalidActError(
                "check_value", "与本机的密钥不符", "does not fit this machine's key"
            )
        field_keys.set_state(scene.tx, known[-1].version, FieldKeyState.RETIRED, scene.now)
        field_keys.add(
            scene.tx, FieldKey(self.version, FieldKeyState.ACTIVE, self.check_value, scene.now)
        )
        return _done(self.version, FieldKeyState.ACTIVE)


@dataclass(frozen=True, slots=True)
class ResealFields(Act):
    """Seal the next rows of a table anew, under the active version.

    Answer: resealed, how many rows were sealed anew; is_done, whether the table is through.
    Raises NotFoundError where there is nothing to do; TooEarlyError.
    """

    act: ClassVar[str] = "reseal_fields"

    table: str

    def __post_init__(self) -> None:
        limits.check_one_of("table", self.table, TABLES)

    def apply(self, scene: Scene) -> Done:
        field_keys.lock(scene.tx)
        active = _active(scene.tx)
        if scene.now < active.since + RESEAL_AFTER:
            raise TooEarlyError(active.since + RESEAL_AFTER)
        field_keys.follow(scene.tx)
        resealed = field_keys.reseal(scene.tx, self.table, active.version)
        is_done = any(
            one.table == self.table and one.is_done for one in field_keys.progress(scene.tx)
        )
        answer = {"resealed": resealed, "is_done": is_done}
        return Done(answer, f"field_key/{active.version}", {**answer, "table": self.table})


@dataclass(frozen=True, slots=True)
class DestroyFieldKey(DangerousAct):
    """Give up a version that nothing is sealed under any more: its file is to be deleted.

    Raises TooEarlyError before DESTROY_AFTER; FieldKeyInUseError naming a table that still has a
    value under it.
    """

    act: ClassVar[str] = "destroy_field_key"

    version: int

    def __post_init__(self) -> None:
        limits.check_range("version", self.version, FIRST_VERSION, VERSION_MAX)

    def summary(self, tx: Reader) -> str:
        return (
            f"销毁个人信息加密密钥第 {self.version} 版，旧备份中的个人信息将无法读取 / "
            f"Destroy field key {self.version}; personal data in older backups can't be read then"
        )

    def apply(self, scene: Scene) -> Done:
        field_keys.lock(scene.tx)
        known = {key.version: key for key in field_keys.versions(scene.tx)}
        key = known.get(self.version)
        if key is None:
            raise NotFoundError("field key")
        if key.state is not FieldKeyState.RETIRED:
            raise WrongStateError("field key", key.state)
        if scene.now < key.since + DESTROY_AFTER:
            raise TooEarlyError(key.since + DESTROY_AFTER)
        for table in field_keys.tables_under(scene.tx, self.version):
            raise FieldKeyInUseError(table)
        field_keys.set_state(scene.tx, self.version, FieldKeyState.DESTROYED, scene.now)
        return _done(self.version, FieldKeyState.DESTROYED)


def _first(scene: Scene) -> FieldKey:
    """The version that there was before anybody counted them."""
    check_value = scene.tx.cipher.check_value(FIRST_VERSION)
    key = FieldKey(FIRST_VERSION, FieldKeyState.ACTIVE, check_value, scene.now)
    field_keys.add(scene.tx, key)
    return key


def _active(tx: Transaction) -> FieldKey:
    known = field_keys.versions(tx)
    if not known:
        raise NotFoundError("field key")
    return next(key for key in known if key.state is FieldKeyState.ACTIVE)


def _done(version: int, state: FieldKeyState) -> Done:
    answer = {"version": version, "state": state.value}
    return Done(answer, f"field_key/{version}", answer)
