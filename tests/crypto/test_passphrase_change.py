"""Changing the passphrase: the keys stay, and whatever happens one passphrase opens them."""

import os
import stat
from pathlib import Path

import pytest

from crypto import keys
from crypto.keys import KeyFiles, sealing

OLD = b"correct horse battery"
NEW = b"quay and hornbeam"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
    path = tmp_path / "keys"
    KeyFiles.create(path, OLD).create_secret("field", 16)
    return path


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_new_passphrase_opens_the_same_keys_and_the_old_one_nothing(directory: Path) -> None:
    before = contents(directory)
    secret = KeyFiles.open(directory, OLD).secret("field")
    KeyFiles.open(directory, OLD).change_passphrase(NEW)
    assert KeyFiles.open(directory, NEW).secret("field") == secret
    with pytest.raises(keys.WrongPassphraseError):
        KeyFiles.open(directory, OLD)
    after = contents(directory)
    assert {name for name in after if after[name] != before.get(name)} == {"keyring.json"}
    assert stat.S_IMODE((directory / "keyring.json").stat().st_mode) == 0o600


def test_salt_and_nonce_are_new_each_time(directory: Path) -> None:
    seen = [contents(directory)["keyring.json"]]
    for _ in range(2):
        KeyFiles.open(directory, OLD).change_passphrase(OLD)
        seen.append(contents(directory)["keyring.json"])
    assert len(set(seen)) == 3
    KeyFiles.open(directory, OLD)


def test_what_is_refused_changes_nothing(directory: Path) -> None:
    before = contents(directory)
    with pytest.raises(keys.WrongPassphraseError):
        KeyFiles.open(directory, NEW).change_passphrase(OLD)
    with pytest.raises(keys.PassphraseTooShortError):
        KeyFiles.open(directory, OLD).change_passphrase(b"7 bytes")
    with pytest.raises(keys.KeyDirectoryMissingError):
        KeyFiles.open(directory / "none", OLD).change_passphrase(NEW)
    assert contents(directory) == before


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_failure_on_the_way_leaves_the_old_passphrase_in_force(
    directory: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = contents(directory)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, {"write": "fdopen"}.get(step, step), fail)
        with pytest.raises(keys.KeyStorageError):
            KeyFiles.open(directory, OLD).change_passphrase(NEW)
    assert contents(directory) == before
    KeyFiles.open(directory, OLD)
