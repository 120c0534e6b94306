"""Decoding of texts and file names whose encoding is not declared."""

import unicodedata
from collections.abc import Callable

from train.data.errors import DataError

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of spreadsheets: zip files (.xlsx, .ods) and .xls."""


def read_text(name: str, read: Callable[[], bytes]) -> str:
    """The text of a table or caption, read by `read`. Raises DataError."""
    try:
        content = read()
    except Exception as error:  # zipfile has many errors for damaged or encrypted entries
        raise DataError(f"{name} cannot be read: {error}") from None
    return decode_table(name, content)


def decode_table(name: str, content: bytes) -> str:
    """The text of a table in UTF-8, UTF-16 (with a mark), cp932 or GB18030. Raises DataError."""
    if content.startswith(_MAGIC):
        raise DataError(spreadsheet_message(name))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return normalize(content.decode("utf-16", errors="replace"))
    return normalize(content.decode(guess_encoding(content), errors="replace"))


def spreadsheet_message(name: str) -> str:
    return f"{name} is a spreadsheet; save it as tags.csv: CSV, encoded in UTF-8"


def normalize(text: str) -> str:
    """NFC: macOS writes file names in NFD, in which letters and accents are separate."""
    return unicodedata.normalize("NFC", text)


def guess_encoding(content: bytes) -> str:
    """UTF-8 if the bytes are valid; otherwise the likelier one of cp932 and GB18030.

    Chinese text that is read as cp932 has many half-width katakana, which Japanese text rarely has.
    """
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8-sig"
    for encoding in ("cp932", "gb18030"):
        try:
            letters = [letter for letter in content.decode(encoding) if letter > "\x7f"]
        except UnicodeDecodeError:
            continue
        half_width = sum("\uff61" <= letter <= "\uff9f" for letter in letters)
        east_asian = sum("\u3040" <= letter <= "\u9fff" for letter in letters)
        if 5 * half_width < len(letters) and 2 * east_asian > len(letters):
            return encoding
    return "utf-8-sig"
