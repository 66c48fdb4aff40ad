"""The body of a call, whatever its type is called: JSON of a bounded size without what no database takes."""

import json
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from gifts.api.osdi.errors import Wrong

LARGEST = 64 * 1024
DEEPEST = 20
NOT_JSON = "The body is not valid JSON in UTF-8."


class AnyJson(BaseParser):
    """JSON, also when a browser calls it a form or a library calls it `application/hal+json`."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        text = stream.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise Wrong(f"A body may be {LARGEST // 1024} KB at most.", 413)
        if not text.strip():
            return None
        return decoded(text)


class AlwaysJson(BaseContentNegotiation):
    """What a client says that it sends or takes refuses nothing."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # type: ignore[override]
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # type: ignore[override]
        return renderers[0], renderers[0].media_type


def decoded(text: bytes) -> Any:
    """What it says. Raises `Wrong`."""
    try:
        found = json.loads(text.decode("utf-8"), parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Wrong(NOT_JSON) from None
    refuse_strange(found)
    return found


def refuse(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(word)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a member that is sent twice nobody knows which counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("A member stands twice in the same object of the body.")
    return found


def refuse_strange(content: Any) -> None:
    """No NUL and no half of a character in any text, and no endless nesting. Raises `Wrong`."""
    waiting = [(content, 0)]
    while waiting:
        each, depth = waiting.pop()
        if depth > DEEPEST:
            raise Wrong("The body is nested too deeply.")
        if isinstance(each, str):
            if "\x00" in each or any("\ud800" <= sign <= "\udfff" for sign in each):
                raise Wrong("A text in the body holds a sign that cannot be kept.")
        elif isinstance(each, dict):
            waiting += [(inner, depth + 1) for inner in (*each.keys(), *each.values())]
        elif isinstance(each, list):
            waiting += [(inner, depth + 1) for inner in each]
