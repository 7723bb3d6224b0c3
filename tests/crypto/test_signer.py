"""What a key file's signer lets out: nothing wrong, unless its key says not to look."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto import SigningFaultError, sm2
from crypto.keys import DamagedKeyFileError, KeyFiles, sealing
from crypto.keys.signer import FileSigner

PASSPHRASE = b"correct horse battery"
KEY = sm2.PrivateKey.from_bytes(bytes(31) + b"\x07")


class FaultyKey:
    """A private key whose signatures come out as `fault` makes them."""

    def __init__(self, fault: Callable[[bytes], bytes]) -> None:
        self.fault = fault
        self.made: list[bytes] = []

    def public_key(self) -> sm2.PublicKey:
        return KEY.public_key()

    def sign(self, message: bytes) -> bytes:
        self.made.append(self.fault(KEY.sign(message)))
        return self.made[-1]


def flipped(bit: int) -> Callable[[bytes], bytes]:
    return lambda signature: (int.from_bytes(signature) ^ 1 << bit).to_bytes(64)


FAULTS: dict[str, Callable[[bytes], bytes]] = {
    **{f"bit {bit} flipped": flipped(bit) for bit in (0, 1, 255, 256, 511)},
    "all zeros": lambda _: bytes(64),
    "of another message": lambda _: KEY.sign(b"another"),
    "of another key": lambda _: sm2.PrivateKey.generate().sign(b"message"),
    "cut": lambda signature: signature[:-1],
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_wrong_signature_never_leaves(fault: Callable[[bytes], bytes]) -> None:
    faulty = FaultyKey(lambda signature: signature)
    signer = FileSigner("faulty", faulty)  # type: ignore[arg-type]
    # Whether the verifier is there already or has to be built first makes no difference.
    for good_first in (False, True):
        if good_first:
            faulty.fault = lambda signature: signature
            KEY.public_key().verify(signer.sign(b"message"), b"message")
        faulty.fault = fault
        made = len(faulty.made)
        with pytest.raises(SigningFaultError):
            signer.sign(b"message")
        assert len(faulty.made) == made + 1


def test_an_unchecked_signer_lets_out_what_came() -> None:
    faulty = FaultyKey(flipped(0))
    signer = FileSigner("faulty", faulty, checked=False)  # type: ignore[arg-type]
    assert [signer.sign(b"message")] == faulty.made


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFiles:
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
    files = KeyFiles.create(tmp_path / "keys", PASSPHRASE)
    files.create_signer("usual")
    files.create_signer("fast", checked=False)
    files.import_signer("brought", KEY, checked=False)
    return files


def test_the_switch_is_kept_with_the_key_and_is_on_unless_asked(files: KeyFiles) -> None:
    switches = {name: files.signer(name).is_checked for name in files.names()}
    assert switches == {"brought": False, "fast": False, "usual": True}
    for name in switches:
        signer = files.signer(name)
        signer.public_key.verify(signer.sign(b"message"), b"message")


@pytest.mark.parametrize("name", ["usual", "fast"])
def test_the_switch_is_not_turned_in_the_file(files: KeyFiles, tmp_path: Path, name: str) -> None:
    path = tmp_path / "keys" / f"{name}.key.json"
    content = json.loads(path.read_text())
    kinds = {"sm2-private-key", "sm2-private-key-unchecked"}
    (content["kind"],) = kinds - {content["kind"]}
    path.write_text(json.dumps(content))
    with pytest.raises(DamagedKeyFileError):
        files.signer(name)


def test_many_threads_use_one_signer_from_the_first_signature_on() -> None:
    signer = FileSigner("shared", KEY)
    start = threading.Barrier(8)
    signatures: list[bytes] = []

    def sign() -> None:
        start.wait()
        signatures.extend(signer.sign(b"message") for _ in range(20))

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(signatures)) == 160
    for signature in signatures:
        KEY.public_key().verify(signature, b"message")
