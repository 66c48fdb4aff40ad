"""Cells that no spreadsheet runs: an apostrophe goes before what looks like a formula; importing takes it off again."""

from typing import Any

# A cell that starts with one of these is a formula to a spreadsheet; the full-width forms count as well.
FORMULA = tuple("=+-@\t\r\n\x00＝＋－＠")
APOSTROPHE = "'"


def harmless(value: Any) -> str:
    """The value as text that no spreadsheet runs."""
    text = "" if value is None else str(value)
    return APOSTROPHE + text if is_guarded(text) else text


def as_written(cell: str) -> str:
    """The text that `harmless` made this cell of: the reverse, exactly."""
    return cell[1:] if cell.startswith(APOSTROPHE) and is_guarded(cell[1:]) else cell


def is_guarded(text: str) -> bool:
    """Whether `harmless` puts an apostrophe before it. Those with apostrophes of their own get one more, so that it
    can be told afterwards which one was ours."""
    if text[:1].isalnum() and text.isprintable():
        return False  # most cells are: one line that begins with a letter or digit
    bare = text.lstrip(APOSTROPHE)
    return bare.startswith(FORMULA) or any(map(_starts_formula, bare.splitlines()))


def _starts_formula(line: str) -> bool:
    """Judged by its first visible character: the program that opens the file may drop what comes before."""
    visible = (character for character in line if character.isprintable() and not character.isspace())
    return next(visible, "").startswith(FORMULA)
