"""The files that pass between bureau, bank and card maker. docs/files.md has every byte of them.

    bank_opening   for whom the bank opens accounts       bureau -> bank
    bank_return    which were opened                      bank -> bureau
    maker file     what is written into each card         bureau -> maker, encrypted and signed
    maker_return   which cards were made                  maker -> bureau

A maker file is made of records (`record`): elements of EF05 and EF06 (`personalisation`) and the
card's keys (`card_keys`), signed chunk by chunk (`chunk`):

    contents = [encode_record(CardRecord(n, region, card, keys.keys_of(region, card_number)))]
    prepared = prepare_chunk(ChunkPlace(issuer, key_number, batch, 1), contents)
    chunk = prepared.signed(signer.sign(prepared.to_be_signed))
    write_maker_file(file, header, [chunk], maker_key=maker_key, signer=signer)

Pure: files are streams that the caller opened, and nothing here knows a database or a clock. A file
that is not what it should be is refused whole (CardFileError), before any of it is given out; a row
of a return that is wrong by itself is a `BadRow`, and the others go on. A value that can't be
written is an ElementError.
"""

from issuance.card_files.bank_opening import (
    AccountRequest,
    open_bank_opening,
    write_bank_opening,
)
from issuance.card_files.bank_return import (
    AccountOutcome,
    BankReason,
    open_bank_return,
    write_bank_return,
)
from issuance.card_files.card_keys import (
    CardKeyKind,
    CardKeyMaker,
    MasterKey,
    SoftwareCardKeys,
    WrappedKey,
    unwrap,
)
from issuance.card_files.charset import Charset
from issuance.card_files.chunk import (
    CHUNK_RECORDS_MAX,
    ChunkPlace,
    PreparedChunk,
    SignedChunk,
    SignedRecord,
    prepare_chunk,
)
from issuance.card_files.columns import BadRow, RowProblem
from issuance.card_files.element_reading import decode_elements
from issuance.card_files.errors import CardFileError, ElementError
from issuance.card_files.maker_header import MakerHeader
from issuance.card_files.maker_reading import MakerFile, open_maker_file
from issuance.card_files.maker_return import (
    CardOutcome,
    MakerReason,
    open_maker_return,
    write_maker_return,
)
from issuance.card_files.maker_writing import write_maker_file
from issuance.card_files.personalisation import Personalisation, encode_elements
from issuance.card_files.record import (
    RECORDS_MAX,
    CardRecord,
    decode_record,
    encode_record,
    encode_record_of,
)
from issuance.card_files.row_header import RowHeader
from issuance.card_files.row_reading import RowFile

__all__ = [
    "CHUNK_RECORDS_MAX",
    "RECORDS_MAX",
    "AccountOutcome",
    "AccountRequest",
    "BadRow",
    "BankReason",
    "CardFileError",
    "CardKeyKind",
    "CardKeyMaker",
    "CardOutcome",
    "CardRecord",
    "Charset",
    "ChunkPlace",
    "ElementError",
    "MakerFile",
    "MakerHeader",
    "MakerReason",
    "MasterKey",
    "Personalisation",
    "PreparedChunk",
    "RowFile",
    "RowHeader",
    "RowProblem",
    "SignedChunk",
    "SignedRecord",
    "SoftwareCardKeys",
    "WrappedKey",
    "decode_elements",
    "decode_record",
    "encode_elements",
    "encode_record",
    "encode_record_of",
    "open_bank_opening",
    "open_bank_return",
    "open_maker_file",
    "open_maker_return",
    "prepare_chunk",
    "unwrap",
    "write_bank_opening",
    "write_bank_return",
    "write_maker_file",
    "write_maker_return",
]
