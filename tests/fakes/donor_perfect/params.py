"""The grammar of `params`: all by position or all by name; text in quotes, N'…' for Unicode, bare null and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fakes.donor_perfect.errors import sql_error, syntax, unclosed

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
NAME = re.compile(r"\s*@(\w+)\s*=\s*")
QUOTED = re.compile(r"(N?)'((?:[^']|'')*)'")
BARE = re.compile(r"[^,'\s]+")
MIXED = (
    "Must pass parameter number {} and subsequent parameters as '@name = value'. After the form '@name = value' has "
    "been used, all subsequent parameters must be passed in the form '@name = value'."
)


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it was written."""

    text: str | None  # None is null
    is_quoted: bool = False
    is_unicode: bool = False

    @property
    def is_number(self) -> bool:
        return self.text is not None and NUMBER.fullmatch(self.text.strip()) is not None


@dataclass(slots=True)
class Given:
    """What was supplied: by position, or by name in small letters."""

    by_position: list[Value]
    by_name: dict[str, Value]


def read(text: str) -> Given:
    """Take `params` apart; what SQL Server would not understand is refused in its words."""
    given, place = Given([], {}), 0
    if not text.strip():
        return given
    while True:
        number = len(given.by_position) + len(given.by_name) + 1
        name = NAME.match(text, place)
        value, place = _value(text, name.end() if name else place)
        if name is None:
            if given.by_name:
                raise sql_error(MIXED.format(number))
            given.by_position.append(value)
        elif given.by_position:
            # The vendor allows neither order, although SQL Server would this one.
            raise sql_error(MIXED.format(1))
        elif name[1].lower() in given.by_name:
            raise sql_error(f"Parameter '@{name[1]}' was supplied multiple times.")
        else:
            given.by_name[name[1].lower()] = value
        rest = text[place:].lstrip()
        if not rest:
            return given
        if not rest.startswith(","):
            raise unclosed(rest) if rest.count("'") % 2 else syntax(rest.split()[0][:30])
        place = len(text) - len(rest) + 1


def _value(text: str, place: int) -> tuple[Value, int]:
    """The value that begins here, and where it ends."""
    place += len(text[place:]) - len(text[place:].lstrip())
    if quoted := QUOTED.match(text, place):
        return Value(quoted[2].replace("''", "'"), True, bool(quoted[1])), quoted.end()
    if text[place : place + 1] == "'" or text[place : place + 2].upper() == "N'":
        raise unclosed(text[place:].lstrip("Nn'"))
    if not (bare := BARE.match(text, place)):
        raise syntax(",")
    if bare[0].lower() == "null":
        return Value(None), bare.end()
    if not NUMBER.fullmatch(bare[0]):
        raise syntax(bare[0][:30])
    return Value(bare[0]), bare.end()
