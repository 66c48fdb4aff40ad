"""Collections: a cursor that holds the whole question, and links without a host."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes.constant_contact.call import Call
from tests.fakes.constant_contact.errors import invalid


def begin(call: Call, *known: str) -> int:
    """Where to go on. A cursor brings its own question, and the vendor's link is to be followed as it is."""
    if "cursor" not in call.query:
        call.knows(*known)
        return 0
    if rest := sorted(set(call.query) - {"cursor"}):
        raise invalid(f"cursor: cannot be combined with {', '.join(rest)}; follow the link as it is")
    text = call.query["cursor"].encode()
    try:
        kept = json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
        call.query = {str(name): str(value) for name, value in kept["query"].items()}
        return int(kept["next"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise invalid("cursor: is not valid") from None


def links(call: Call, following: int) -> dict[str, Any]:
    """`_links` with the next page; the last page has no `next`."""
    if not following:
        return {}
    kept = json.dumps({"query": call.query, "next": following}, separators=(",", ":")).encode()
    return {"next": {"href": f"/v3{call.path}?cursor={base64.urlsafe_b64encode(kept).decode().rstrip('=')}"}}


def page(rows: Sequence[Any], start: int, limit: int, fits: Callable[[Any], bool]) -> tuple[list[Any], int]:
    """Up to ``limit`` fitting rows from ``start`` on, and where the next page starts (0: there is none)."""
    found: list[Any] = []
    for place in range(start, len(rows)):
        if fits(rows[place]):
            if len(found) == limit:
                return found, place
            found.append(rows[place])
    return found, 0
