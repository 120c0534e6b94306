"""Decoding of texts and file names whose encoding is not declared."""

import unicodedata
from collections.abc import Callable

from train.data.errors import DataError

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of spreadsheets: zip files (.xlsx, .ods) and .xls."""


def read_text(name: str, read: Callable[[], bytes]) -> str:
    """The text of a table or caption, read by `read`. Raises DataError."""
    return read_encoded(name, read)[0]


def read_encoded(name: str, read: Callable[[], bytes]) -> tuple[str, str]:
    """The text of a table or caption, and its encoding. Raises DataError."""
    try:
        content = read()
    except Exception as error:  # zipfile has many errors for damaged or encrypted entries
        raise DataError(f"{name} cannot be read: {error}") from None
    if content.startswith(_MAGIC):
        raise DataError(spreadsheet_message(name))
    encoding = _utf16(content) or guess_encoding(content)
    try:
        return normalize(content.decode(encoding)), encoding
    except UnicodeDecodeError:
        raise DataError(
            f"{name} is not encoded in UTF-8, UTF-16, cp932 or GB18030: save it in UTF-8"
        ) from None


def spreadsheet_message(name: str) -> str:
    return f"{name} is a spreadsheet; save it as tags.csv: CSV, encoded in UTF-8"


def normalize(text: str) -> str:
    """NFC: macOS writes file names in NFD, in which letters and accents are separate."""
    return unicodedata.normalize("NFC", text)


def _utf16(content: bytes) -> str | None:
    """The variant of UTF-16, by its byte order mark or by the zero bytes of ASCII characters."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = content[:1000]
    big, little = start[::2].count(0), start[1::2].count(0)
    if 4 * max(big, little) <= len(start):
        return None
    return "utf-16-be" if big > little else "utf-16-le"


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
