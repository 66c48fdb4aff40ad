"""Bodies of the donors API: JSON of bounded size and depth, read in one way only. What is unreadable is 400 (A9)."""

import json
import math
from typing import Any

from rest_framework.parsers import BaseParser

from contacts.api.problems import Problem

LARGEST = 1024 * 1024
DEEPEST = 50


class DonorsJson(BaseParser):
    """JSON in UTF-8: no NaN, no number without end, no name twice, no NUL and no half of a sign."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        text = stream.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise Problem(400, "too-large", "A body may be 1 MB at most.")
        try:
            data = json.loads(
                text.decode("utf-8"), parse_constant=refuse, parse_float=finite, object_pairs_hook=once
            )  # fmt: skip
        except (ValueError, RecursionError):
            raise Problem(
                400, "not-json", "The body is not valid JSON in UTF-8, or has the same name twice in an object."
            ) from None
        check(data)
        return data


class DonorsPatch(DonorsJson):
    """The same, under the name that RFC 6902 gives it."""

    media_type = "application/json-patch+json"


def refuse(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(word)


def finite(digits: str) -> float:
    """1e999 is a number that nobody can hold."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers do not agree which of two counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def check(data: Any) -> None:
    """Depth and signs, layer by layer."""
    layer, depth = [data], 0
    while layer:
        if depth > DEEPEST:
            raise Problem(400, "too-deep", f"A body may be {DEEPEST} levels deep at most.")
        below: list[Any] = []
        for one in layer:
            if isinstance(one, dict):
                below += one.keys()
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, str) and not is_sound(one):
                raise Problem(400, "not-text", "A text in the body holds a NUL, or half of a sign (a lone surrogate).")
        layer, depth = below, depth + 1


def is_sound(text: str) -> bool:
    """Whether every database and reader takes this text."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
