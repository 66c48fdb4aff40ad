"""What a file really is, whatever it is called: told from its first bytes."""

from contacts.importing.trouble import Unreadable

TEXT, SHEET = "text", "sheet"
EMPTY = "The file is empty. Choose the file that has your contacts in it."
EXPORT_ADVICE = "Open it where it comes from, and export or save it as CSV or Excel (.xlsx)."

# (first bytes, what that is)
OTHERS = [
    (b"%PDF", "This is a PDF, which has no rows and columns to read."),
    (b"{\\rtf", "This is a text document (RTF), not a table."),
    (b"\x1f\x8b", "This file is compressed (gzip). Unpack it first."),
    (b"7z\xbc\xaf", "This file is compressed (7z). Unpack it first."),
    (b"Rar!", "This file is compressed (RAR). Unpack it first."),
    (b"\x89PNG", "This is a picture."),
    (b"\xff\xd8\xff", "This is a picture."),
    (b"GIF8", "This is a picture."),
    (b"SQLite format 3", "This is a database file, not a table."),
    (b"BEGIN:VCARD", "This is a file of business cards (vCard). Most address books can export CSV as well."),
    (b"<?xml", "This is an XML file. If Excel opens it, save it there as .xlsx."),
    (b"<!doctype html", "This is a web page, even if it is called a spreadsheet."),
    (b"<html", "This is a web page, even if it is called a spreadsheet."),
    (b"<table", "This is a web page, even if it is called a spreadsheet."),
]  # fmt: skip


def kind_of(start: bytes) -> str:
    """TEXT or SHEET; raises `Unreadable` for anything else. `start` is at least a few thousand bytes, if there are."""
    if not start.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise Unreadable(EMPTY)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        return SHEET
    shown = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    for sign, sentence in OTHERS:
        if shown[: len(sign)].lower() == sign.lower():
            raise Unreadable(f"{sentence} {EXPORT_ADVICE}")
    if not start.startswith((b"\xff\xfe", b"\xfe\xff")) and strange(start) > 0.02:
        raise Unreadable(f"This is not a table of text. {EXPORT_ADVICE}")
    return TEXT


def strange(start: bytes) -> float:
    """The share of bytes that no text has; a NUL now and then is the slip of an old program."""
    odd = sum(start.count(bytes([code])) for code in range(1, 32) if code not in (7, 8, 9, 10, 11, 12, 13, 26, 27, 28))
    nul = start.count(0)
    return (odd + (nul if nul > len(start) / 20 else 0)) / max(len(start), 1)
