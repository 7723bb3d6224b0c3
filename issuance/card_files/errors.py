"""Why a file is refused whole, and why a value can't go into one.

IssuanceError
+-- CardFileError   the file can't be used; nothing of it was taken
+-- ElementError    a value that doesn't fit its place in a card, a file or a record

No text repeats what stands in a file: it may be somebody's name or number.
"""

from typing import Final

from issuance.errors import IssuanceError

_SEND_AGAIN: Final = ("请对方重新生成并发送", "have it made and sent again")

_TEXTS: Final = {
    "kind_unknown": (
        "这不是制卡文件、银行文件或回盘文件：开头的标记不认识。请核对是否选错文件",
        (
            "This is no maker file, bank file or return file: it begins with no mark that is "
            "known. Check that it is the right file"
        ),
    ),
    "kind_other": (
        "文件种类不对：此处需要{wanted}。请核对是否选错文件",
        "This is another kind of file: {wanted} is needed here. Check that it is the right one",
    ),
    "version_unknown": (
        "文件的版本号不认识。请升级 sscard，或请对方按文档的版本生成",
        "The file's version is not known. Upgrade sscard, or have the documented version made",
    ),
    "file_empty": ("文件是空的，请重新获取", "The file is empty; fetch it again"),
    "file_too_large": (
        "文件超过{mebibytes} MiB，请拆分",
        "The file is larger than {mebibytes} MiB; split it",
    ),
    "file_changed": (
        "读取过程中文件被改动。请确认传输已结束，再试一次",
        "The file changed while it was read. See that its transfer is over and try again",
    ),
    "cut": (
        "文件不完整：在第{record}条之后中断。请重新传输",
        "The file is cut off behind record {record}. Transfer it again",
    ),
    "cut_in_chunk": (
        "文件不完整：在第{chunk}块中断。请重新传输",
        "The file is cut off in chunk {chunk}. Transfer it again",
    ),
    "surplus": (
        "文件结尾之后还有内容。请重新传输；若再次出现，{zh}",
        "Something follows the end of the file. Transfer it again; if it is still there, {en}",
    ),
    "header_bad": (
        "文件头不符合格式（{part}）。{zh}",
        "The header is not what the layout says ({part}); {en}",
    ),
    "header_cut": ("文件头不完整。请重新传输", "The header is cut off. Transfer the file again"),
    "line_too_long": (
        "第{line}行超过{bytes_max}字节。{zh}",
        "Line {line} has more than {bytes_max} bytes; {en}",
    ),
    "line_unknown": (
        "第{line}行的记录类型不认识（应为 D 或 T）。{zh}",
        "Line {line} is of no known type (D or T is expected); {en}",
    ),
    "not_text": (
        "第{line}行不是文件头所说的编码。{zh}",
        "Line {line} is not in the encoding that the header names; {en}",
    ),
    "numbers_disordered": (
        "第{line}行的序号没有递增：有重复或次序不对。{zh}",
        "The number in line {line} does not go up: it is doubled or out of order; {en}",
    ),
    "count_wrong": (
        "记录数不符：文件写明{stated}条，实有{found}条。{zh}",
        "The count is wrong: {stated} records are stated and {found} are there; {en}",
    ),
    "too_many": (
        "记录超过{records_max}条，请拆分",
        "There are more than {records_max} records; split the file",
    ),
    "trailer_bad": (
        "第{line}行的文件尾不符合格式。{zh}",
        "The trailer in line {line} is not what the layout says; {en}",
    ),
    "digest_wrong": (
        "SM3 摘要不符：文件在传输中被改动（例如 FTP 的文本模式）。请用二进制方式重新传输",
        (
            "The SM3 digest is wrong: the file changed on its way (text mode of FTP does that). "
            "Transfer it again in binary mode"
        ),
    ),
    "signature_wrong": (
        "发卡机构签名无效：文件被改动，或公钥不是该机构的。请核对公钥后重新获取文件",
        (
            "The issuer's signature is not valid: the file was changed, or the key is not this "
            "issuer's. Check the key, then fetch the file again"
        ),
    ),
    "record_signature_wrong": (
        "第{chunk}块中的记录签名无效。请勿制卡，并告知发卡机构",
        (
            "The signature of the records in chunk {chunk} is not valid. Make no cards and tell "
            "the issuer"
        ),
    ),
    "not_for_this_key": (
        "文件不是加密给这把密钥的。请换用收件密钥，或请发卡机构核对卡商公钥",
        (
            "The file is not encrypted to this key. Use the key that it is for, or have the issuer "
            "check the maker's public key"
        ),
    ),
    "chunk_undecryptable": (
        "第{chunk}块无法解密。请重新传输",
        "Chunk {chunk} can't be decrypted. Transfer the file again",
    ),
    "chunk_bad": (
        "第{chunk}块不符合格式。{zh}",
        "Chunk {chunk} is not what the layout says; {en}",
    ),
    "record_bad": (
        "第{record}条记录不符合格式。{zh}",
        "Record {record} is not what the layout says; {en}",
    ),
    "transport_key_wrong": (
        "卡密钥的校验值不符：传输密钥不是约定的那一把。请双方核对传输密钥",
        (
            "A card key's check value is wrong: the transport key is not the one agreed on. "
            "Compare it with the other side"
        ),
    ),
}


class CardFileError(IssuanceError):
    """The file can't be used, and nothing of it was taken. `code` is stable."""

    def __init__(self, code: str, **details: int | str) -> None:
        zh, en = _TEXTS[code]
        words = {"zh": _SEND_AGAIN[0], "en": _SEND_AGAIN[1], **details}
        super().__init__(code, zh.format(**words), en.format(**words))


class ElementError(IssuanceError):
    """A value can't be written. field: its English name; the value itself is not repeated."""

    def __init__(
        self, code: str, field: str, title_zh: str, reason_zh: str, reason_en: str
    ) -> None:
        super().__init__(code, f"字段“{title_zh}”：{reason_zh}。", f"Field {field}: {reason_en}.")
        self.field = field
