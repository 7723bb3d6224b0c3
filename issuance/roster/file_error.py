"""Why a file of rows can't be used at all: it is refused whole, before anything is written."""

from typing import Final

_MEBIBYTE: Final = 1024 * 1024
FILE_BYTES_MAX: Final = 200 * _MEBIBYTE
INFLATED_BYTES_MAX: Final = 1024 * _MEBIBYTE  # what a sheet may unpack to
ROWS_MAX: Final = 1_000_000
COLUMNS_MAX: Final = 64
LINE_CHARS_MAX: Final = 64 * 1024

_TEXTS: Final = {
    "file_missing": (
        "找不到文件，请核对路径",
        "The file was not found; check the path",
    ),
    "file_unreadable": (
        "文件打不开：请检查文件权限，以及是否被其他程序占用",
        "The file can't be opened; check its permissions, close other programs",
    ),
    "file_is_folder": (
        "这是文件夹，不是文件；请写到文件名",
        "This is a folder and no file; give the name of the file",
    ),
    "file_empty": (
        "文件是空的，请重新导出",
        "The file is empty; export it again",
    ),
    "file_too_large": (
        f"文件超过{FILE_BYTES_MAX // _MEBIBYTE} MiB，请拆分后分别导入",
        f"The file is larger than {FILE_BYTES_MAX // _MEBIBYTE} MiB; split it",
    ),
    "file_changed": (
        "读取过程中文件被改动，请关闭正在编辑它的程序后重试",
        "The file changed while it was read; close the program that edits it and try again",
    ),
    "file_kind_unsupported": (
        "不支持这种文件：应为CSV（.csv）或Excel工作簿（.xlsx），请另存后重试",
        "This kind of file is not supported; save it as .csv or as .xlsx (Excel)",
    ),
    "file_kind_mismatch": (
        "文件内容与扩展名不符，多半是改过名：请用原程序另存为.csv或.xlsx",
        "The content does not fit the file's ending; save it again from the program that made it",
    ),
    "file_not_text": (
        "文件内容不是文本：CSV应为UTF-8或GB 18030编码，请从原系统重新导出",
        "The file is not text; a CSV has to be in UTF-8 or GB 18030, export it again",
    ),
    "workbook_old": (
        "这是旧版Excel文件（.xls），请另存为.xlsx或CSV",
        "This is an old Excel file (.xls); save it as .xlsx or CSV",
    ),
    "workbook_encrypted": (
        "工作簿有密码保护，请取消密码后另存",
        "The workbook is protected by a password; remove it and save the file again",
    ),
    "workbook_damaged": (
        "工作簿已损坏或不是Excel文件，请重新另存为.xlsx",
        "The workbook is damaged or is no Excel file; save it as .xlsx again",
    ),
    "workbook_too_large": (
        "工作簿解压后过大，请清除多余内容或改用CSV",
        "The workbook unpacks to too much; remove what is not needed or use CSV",
    ),
    "sheet_missing": (
        "工作簿中没有可见的工作表，请检查是否选错文件",
        "The workbook has no visible sheet; check that it is the right file",
    ),
    "quotes_unclosed": (
        "第{line}行附近的引号不配对：请检查该处引号，或另存为.xlsx",
        "The quotation marks do not pair up near line {line}; put them right or save as .xlsx",
    ),
    "line_too_long": (
        f"第{{line}}行超过{LINE_CHARS_MAX}个字符，请检查该处内容",
        f"Line {{line}} has more than {LINE_CHARS_MAX} characters; check what stands there",
    ),
    "columns_missing": (
        "缺少列：{titles}。表头应在第一行，请补齐",
        "Columns are missing: {titles}. The titles belong in the first row; add them",
    ),
    "columns_doubled": (
        "列名重复：{titles}。请只保留一列",
        "Columns appear twice: {titles}. Keep one of each",
    ),
    "columns_too_many": (
        f"列数超过{COLUMNS_MAX}，请删除多余的列",
        f"There are more than {COLUMNS_MAX} columns; remove those that are not needed",
    ),
    "rows_missing": (
        "表头下面没有数据行",
        "There is no row below the titles",
    ),
    "rows_too_many": (
        f"行数超过{ROWS_MAX}，请拆分后分别导入",
        f"There are more than {ROWS_MAX} rows; split the file",
    ),
}


class RosterFileError(Exception):
    """The file can't be used; nothing of it was taken.

    code: stable. message_zh, message_en: what to do; they never quote the file's rows.
    """

    def __init__(self, code: str, **details: str) -> None:
        zh, en = _TEXTS[code]
        self.code = code
        self.message_zh = zh.format(**details)
        self.message_en = en.format(**details)
        super().__init__(f"{code}: {self.message_en}")
