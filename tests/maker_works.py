"""A card maker (卡商) for tests: a key pair, a transport key agreed with it, and its own program.

It reads files with `tests/stranger/card_maker.py`, which shares nothing with the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from office import PASSPHRASE, Office

from card_core.codes import KeyPurpose, key_name
from crypto import sm2
from crypto.keys import KeyFiles
from issuance.card_files import CardKeyKind
from issuance.making.keys import EVERYWHERE, master_key_name
from tests.stranger import card_maker
from tests.stranger.card_maker import Card

CODE = "M01"
COMPONENTS = ("00112233445566778899AABBCCDDEEFF", "0F1E2D3C4B5A69788796A5B4C3D2E1F0")
TRANSPORT_KEY = bytes(
    left ^ right for left, right in zip(*map(bytes.fromhex, COMPONENTS), strict=True)
)


@dataclass(frozen=True)
class MakerWorks:
    """Registered with the office by two people, its transport key brought by two."""

    office: Office
    key: sm2.PrivateKey = field(default_factory=sm2.PrivateKey.generate)

    def register(self) -> None:
        point = self.key.public_key().to_bytes(compressed=True).hex()
        self.office.done(
            "maker", "register", CODE, "--name", "测试卡商", "--public-key", point,
            "--with", "li", "--yes", operator="admin",
        )  # fmt: skip
        files = [self.office.file(f"component.{at}", one) for at, one in enumerate(COMPONENTS)]
        options = [text for path in files for text in ("--component-file", str(path))]
        said = self.office.done("maker", "transport-key", CODE, *options, operator="admin")
        assert card_maker.one_block(TRANSPORT_KEY, bytes(16))[:3].hex().upper() in said

    @property
    def home_keys(self) -> KeyFiles:
        return KeyFiles.open(self.office.settings.home.keys, PASSPHRASE.encode())

    def read(self, path: Path) -> list[Card]:
        """What the maker's program finds in a maker file."""
        issuer = self.home_keys.signer(key_name(KeyPurpose.CARD_ISSUING, 7, 1)).public_key
        return card_maker.read_file(
            path.read_bytes(),
            issuer_key=issuer.to_bytes(),
            private_key=self.key.to_bytes(),
            public_key=self.key.public_key().to_bytes(),
            transport_key=TRANSPORT_KEY,
        )

    def master_keys(self) -> Mapping[int, bytes]:
        keys = self.home_keys
        return {
            kind.value: keys.secret(master_key_name(kind, EVERYWHERE, 1)) for kind in CardKeyKind
        }

    def check_keys(self, cards: list[Card]) -> None:
        """All kinds in each card, as the master keys give them, and no key twice."""
        masters = self.master_keys()
        for card in cards:
            assert card.keys == {
                kind: card_maker.card_key(master, card.region, card.elements["card_number"])
                for kind, master in masters.items()
            }
        assert len({key for card in cards for key in card.keys.values()}) == 10 * len(cards)
