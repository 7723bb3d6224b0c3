"""Key files: what they keep, what they refuse, and that no secret gets out."""

import copy
import json
import os
import pickle
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto import keys, sm2
from crypto.keys import KeyFiles, sealing, storage

PASSPHRASE = b"correct horse battery"
SIGNER = "code_signing.1.1"
SECRET = "field"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory with a signer and a secret, with as few rounds as are accepted."""
    directory = tmp_path_factory.mktemp("keys") / "made"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
        files = KeyFiles.create(directory, PASSPHRASE)
    files.create_signer(SIGNER)
    files.create_secret(SECRET, 16)
    return directory


@pytest.fixture
def directory(made_once: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "keys"
    shutil.copytree(made_once, copied)
    return copied


def key_file(directory: Path, name: str) -> Path:
    return directory / f"{name}.key.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_made_signs_again_after_opening(directory: Path) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    signer = files.signer(SIGNER)
    signature = signer.sign(b"message")
    signer.public_key.verify(signature, b"message")
    again = KeyFiles.open(directory, PASSPHRASE)
    assert again.signer(SIGNER).public_key == signer.public_key
    assert again.secret(SECRET) == files.secret(SECRET)
    assert len(files.secret(SECRET)) == 16
    assert files.names() == (SIGNER, SECRET)


def test_a_provider_is_what_the_key_files_are(directory: Path) -> None:
    provider: keys.KeyProvider = KeyFiles.open(directory, PASSPHRASE)
    signer: keys.Signer = provider.signer(SIGNER)
    assert len(signer.sign(b"")) == 64


def test_only_the_owner_may_look_and_nothing_temporary_stays(directory: Path) -> None:
    assert mode(directory) == 0o700
    assert {mode(file) for file in directory.iterdir()} == {0o600}
    assert sorted(file.name for file in directory.iterdir()) == [
        f"{SIGNER}.key.json",
        f"{SECRET}.key.json",
        "keyring.json",
    ]


def test_a_new_directory_spends_600_000_rounds(tmp_path: Path) -> None:
    KeyFiles.create(tmp_path / "new", PASSPHRASE)
    content = json.loads((tmp_path / "new" / "keyring.json").read_bytes())
    assert (content["kdf"], content["iterations"]) == ("PBKDF2-HMAC-SM3", 600_000)


def test_the_umask_does_not_open_new_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KeyFiles.create(tmp_path / "new", PASSPHRASE).create_secret(SECRET, 32)
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o700
    assert {mode(file) for file in (tmp_path / "new").iterdir()} == {0o600}


def test_no_secret_is_in_the_files_in_clear(directory: Path) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    private = sm2.PrivateKey.from_bytes(bytes(range(1, 33)))
    files.import_signer("imported", private)
    stored = b"".join(file.read_bytes() for file in directory.iterdir())
    for secret in (files.secret(SECRET), private.to_bytes(), PASSPHRASE):
        assert secret not in stored
        assert secret.hex().encode() not in stored
    assert files.signer("imported").public_key == private.public_key()


def test_nothing_is_overwritten(directory: Path) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    before = {file: file.read_bytes() for file in directory.iterdir()}
    writes: list[Callable[[], None]] = [
        lambda: files.create_signer(SIGNER),
        lambda: files.create_secret(SIGNER, 16),
        lambda: files.import_secret(SECRET, bytes(16)),
        lambda: files.import_signer(SECRET, sm2.PrivateKey.generate()),
    ]
    for write in writes:
        with pytest.raises(keys.KeyExistsError):
            write()
    with pytest.raises(keys.KeyDirectoryExistsError):
        KeyFiles.create(directory, PASSPHRASE)
    assert {file: file.read_bytes() for file in directory.iterdir()} == before


def test_of_many_who_make_one_key_exactly_one_does(directory: Path) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    start = threading.Barrier(8)
    refused = []

    def make() -> None:
        start.wait()
        try:
            files.create_secret("raced", 32)
        except keys.KeyExistsError:
            refused.append(1)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert len(files.secret("raced")) == 32


def test_a_write_that_fails_leaves_nothing(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    names = sorted(directory.iterdir())

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(keys.KeyStorageError) as caught:
        files.create_secret("other", 16)
    assert isinstance(caught.value.__cause__, OSError)
    assert sorted(directory.iterdir()) == names


@pytest.mark.parametrize("wrong", [b"", b"battery staple", PASSPHRASE + b"\n", PASSPHRASE[:-1]])
def test_a_wrong_passphrase_is_told_from_damage(directory: Path, wrong: bytes) -> None:
    with pytest.raises(keys.WrongPassphraseError) as caught:
        KeyFiles.open(directory, wrong)
    assert not wrong or wrong.decode() not in str(caught.value)


def test_a_new_passphrase_needs_eight_bytes(tmp_path: Path) -> None:
    with pytest.raises(keys.PassphraseTooShortError):
        KeyFiles.create(tmp_path / "new", b"7 bytes")
    assert not (tmp_path / "new").exists()


def test_a_directory_that_is_not_there_or_not_ours_is_said_so(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path / "file"):
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(keys.KeyDirectoryMissingError) as caught:
            KeyFiles.open(path, PASSPHRASE)
        assert str(path) in str(caught.value)
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o700)
    with pytest.raises(keys.KeyDirectoryMissingError):
        KeyFiles.open(empty, PASSPHRASE)


@pytest.mark.parametrize("bits", [0o750, 0o701, 0o777])
def test_a_directory_open_to_others_is_refused(directory: Path, bits: int) -> None:
    directory.chmod(bits)
    with pytest.raises(keys.KeyPermissionsError):
        KeyFiles.open(directory, PASSPHRASE)
    (directory / "keyring.json").unlink()
    with pytest.raises(keys.KeyPermissionsError):
        KeyFiles.create(directory, PASSPHRASE)


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o666])
def test_a_file_open_to_others_is_refused(directory: Path, bits: int) -> None:
    key_file(directory, SECRET).chmod(bits)
    with pytest.raises(keys.KeyPermissionsError):
        KeyFiles.open(directory, PASSPHRASE).secret(SECRET)
    (directory / "keyring.json").chmod(bits)
    with pytest.raises(keys.KeyPermissionsError):
        KeyFiles.open(directory, PASSPHRASE)


def test_missing_keys_and_other_kinds_are_told_apart(directory: Path) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    with pytest.raises(keys.KeyMissingError):
        files.secret("absent")
    with pytest.raises(keys.KeyKindError):
        files.secret(SIGNER)
    with pytest.raises(keys.KeyKindError):
        files.signer(SECRET)


@pytest.mark.parametrize(
    "name", ["", "../field", "a/b", "A", "a b", "a..b", ".a", "a.", "a\n", "密", "a" * 41, "\x00"]
)
def test_a_name_never_leads_out_of_the_directory(directory: Path, name: str) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    with pytest.raises(ValueError, match="key name"):
        files.create_secret(name, 16)
    with pytest.raises(ValueError, match="key name"):
        files.signer(name)


@pytest.mark.parametrize("size_bytes", [-1, 0, 15, 65, 1 << 40])
def test_secrets_have_16_to_64_bytes(directory: Path, size_bytes: int) -> None:
    with pytest.raises(ValueError, match="16 to 64"):
        KeyFiles.open(directory, PASSPHRASE).create_secret("other", size_bytes)


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))


def flip(path: Path, field: str) -> None:
    """Flip the lowest bit of the first byte."""
    edit(path, lambda c: c.update({field: f"{int(c[field][:2], 16) ^ 1:02x}{c[field][2:]}"}))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "too long": lambda path: path.write_bytes(path.read_bytes() + b" " * storage.FILE_SIZE_MAX),
    "a list": lambda path: path.write_bytes(b"[]"),
    "deep": lambda path: path.write_bytes(b"[" * 60_000),
    "other version": lambda path: edit(path, lambda c: c.update(version=2)),
    "unknown kind": lambda path: edit(path, lambda c: c.update(kind="other")),
    "kind is a list": lambda path: edit(path, lambda c: c.update(kind=[])),
    "no nonce": lambda path: edit(path, lambda c: c.pop("nonce")),
    "nonce is a number": lambda path: edit(path, lambda c: c.update(nonce=1)),
    "not hex": lambda path: edit(path, lambda c: c.update(ciphertext="zz")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", [SIGNER, SECRET])
def test_a_damaged_key_file_is_refused(
    directory: Path, name: str, damage: Callable[[Path], object]
) -> None:
    damage(key_file(directory, name))
    files = KeyFiles.open(directory, PASSPHRASE)
    with pytest.raises(keys.DamagedKeyFileError) as caught:
        (files.signer if name == SIGNER else files.secret)(name)
    assert f"{name}.key.json" in str(caught.value)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_keyring_is_refused(directory: Path, damage: Callable[[Path], object]) -> None:
    damage(directory / "keyring.json")
    with pytest.raises(keys.DamagedKeyFileError):
        KeyFiles.open(directory, PASSPHRASE)


@pytest.mark.parametrize("iterations", [0, 1, 99_999, 10_000_001, -5, 6e5, "600000", None, True])
def test_rounds_out_of_range_are_not_followed(directory: Path, iterations: object) -> None:
    edit(directory / "keyring.json", lambda c: c.update(iterations=iterations))
    with pytest.raises(keys.DamagedKeyFileError):
        KeyFiles.open(directory, PASSPHRASE)


@pytest.mark.parametrize("field", ["nonce", "ciphertext"])
def test_a_flipped_bit_is_refused(directory: Path, field: str) -> None:
    flip(key_file(directory, SECRET), field)
    with pytest.raises(keys.DamagedKeyFileError):
        KeyFiles.open(directory, PASSPHRASE).secret(SECRET)
    for changed in (field, "salt"):
        flip(directory / "keyring.json", changed)
        with pytest.raises(keys.WrongPassphraseError):
            KeyFiles.open(directory, PASSPHRASE)
        flip(directory / "keyring.json", changed)


def test_a_key_file_does_not_serve_under_another_name_or_kind(directory: Path) -> None:
    shutil.copy2(key_file(directory, SECRET), key_file(directory, "other"))
    edit(key_file(directory, SIGNER), lambda c: c.update(kind="symmetric"))
    files = KeyFiles.open(directory, PASSPHRASE)
    for name in ("other", SIGNER):
        with pytest.raises(keys.DamagedKeyFileError):
            files.secret(name)


def test_a_key_file_of_another_directory_does_not_open(directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    KeyFiles.create(other, PASSPHRASE).create_secret("taken", 16)
    shutil.copy2(key_file(other, "taken"), directory)
    with pytest.raises(keys.DamagedKeyFileError):
        KeyFiles.open(directory, PASSPHRASE).secret("taken")


def test_nothing_shows_or_carries_off_a_secret(directory: Path) -> None:
    files = KeyFiles.open(directory, PASSPHRASE)
    signer = files.signer(SIGNER)
    assert repr(files) == f"<crypto.keys.KeyFiles in {directory}>"
    assert repr(signer) == f"<crypto.keys.FileSigner {SIGNER}>"
    for thing in (files, signer):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.deepcopy(thing)


def test_every_error_speaks_both_languages_and_names_its_own_code() -> None:
    errors = [getattr(keys, name) for name in keys.__all__ if name.endswith("Error")]
    assert len({error.code for error in errors}) == len(errors)
    for error in errors:
        raised = error(Path("some/where"))
        assert any("\u4e00" <= character <= "\u9fff" for character in raised.message_zh)
        assert raised.message_en.isascii()
        assert "some/where" in raised.message_zh
        assert "some/where" in raised.message_en
