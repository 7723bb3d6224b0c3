"""A bureau of the tests that has cards made: keys of cards, a maker, orders."""

from dataclasses import dataclass
from typing import Any

from bureau import ISSUER, SYSTEM, Bureau

from card_core.codes import KeyPurpose, key_name
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.kernel.acts.makers import RegisterMaker
from card_core.kernel.acts.making import (
    ChunkSignature,
    KeepChunkSignatures,
    OrderMaking,
    PrepareMakingChunk,
    SendMakerFile,
)
from card_core.store import makings
from card_core.store.makings import Making
from crypto import sm2
from issuance.card_files import CardKeyKind
from issuance.making.keys import EVERYWHERE, master_key_name, transport_key_name
from issuance.making.personalising import CardPersonaliser

MAKER = "M01"
TRANSPORT_KEY = bytes(range(16, 32))
MASTERS = {kind: bytes([kind.value]) * 16 for kind in CardKeyKind}


@dataclass(frozen=True)
class CardIssuer:
    """maker_key: of the maker MAKER. Acts are tried with `bureau.perform` and `bureau.decide`."""

    bureau: Bureau
    maker_key: sm2.PrivateKey
    personaliser: CardPersonaliser

    def issued_batch(self, count: int) -> str:
        """The id of a batch of new people whose cards have numbers."""
        imported = self.bureau.released_batch(count)
        for number in range(1, imported["chunks"] + 1):
            self.bureau.perform(IssueChunk(imported["batch_id"], number), self.bureau.maker)
        return str(imported["batch_id"])

    def order(self, batch_id: str, records: int, *, skips_bank: bool = True) -> str:
        act = OrderMaking(batch_id, MAKER, records, skips_bank=skips_bank)
        return str(self.bureau.decide(act)["order_id"])

    def ordered_batch(self, count: int) -> tuple[str, str]:
        """The ids of a batch of new people and of an order for all their cards."""
        batch_id = self.issued_batch(count)
        return batch_id, self.order(batch_id, count)

    def prepare(self, order_id: str, chunk: int | None = None) -> dict[str, Any]:
        return self.bureau.perform(PrepareMakingChunk(order_id, chunk), self.bureau.maker)

    def sign(self, order_id: str, chunk: int, message: bytes) -> dict[str, Any]:
        """Keep a signature of the card issuing key over this message for a chunk."""
        signature = ChunkSignature(chunk, self.personaliser.signer(1).sign(message))
        return self.bureau.perform(KeepChunkSignatures(order_id, (signature,)), self.bureau.maker)

    def send(self, order_id: str) -> dict[str, Any]:
        return self.bureau.perform(SendMakerFile(order_id, bytes(32)), self.bureau.maker)

    def makings(self, batch_id: str) -> list[Making]:
        with self.bureau.store.read() as tx:
            return makings.between(tx, batch_id, 1, 1_000_000)


def card_issuer(bureau: Bureau) -> CardIssuer:
    """Give a bureau what issuing needs, and its kernel the personaliser."""
    keys, maker_key = bureau.keys, sm2.PrivateKey.generate()
    for kind, secret in MASTERS.items():
        keys.keep(master_key_name(kind, EVERYWHERE, 1), secret)
    keys.keep(transport_key_name(MAKER, 1), TRANSPORT_KEY)
    point = keys.make(key_name(KeyPurpose.CARD_ISSUING, ISSUER, 1)).public_key
    known = point.to_bytes(compressed=True)
    bureau.perform(RegisterIssuerKey(ISSUER, 1, known, KeyPurpose.CARD_ISSUING), SYSTEM)
    registered = RegisterMaker(MAKER, "测试卡商", maker_key.public_key().to_bytes())
    bureau.decide(registered, bureau.administrator)
    personaliser = CardPersonaliser(keys, issuer=ISSUER)
    bureau.kernel.personaliser = personaliser
    return CardIssuer(bureau, maker_key, personaliser)
