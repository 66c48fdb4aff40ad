"""Collections: count and offset, and the choice of fields in dot notation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes.mailchimp.call import Call
from tests.fakes.mailchimp.errors import invalid

Tree = dict[str, Any]


def page(call: Call, rows: Sequence[Any], show: Callable[[Any], Any]) -> tuple[list[Any], int]:
    """The asked-for rows as the vendor shows them, and how many there are in all."""
    count = call.number("count", 10, most=1000)
    offset = call.number("offset", 0)
    return [show(row) for row in rows[offset : offset + count]], len(rows)


def direction(call: Call) -> bool:
    """True for descending."""
    return call.choice("sort_dir", "ASC", "DESC") == "DESC"


def tree(listed: str) -> Tree:
    root: Tree = {}
    for path in filter(None, (part.strip() for part in listed.split(","))):
        at = root
        for name in path.split("."):
            at = at.setdefault(name, {})
        at["*"] = {}
    return root


def keep(wanted: Tree, data: Any) -> Any:
    if isinstance(data, list):
        return [keep(wanted, item) for item in data]
    if not isinstance(data, dict) or "*" in wanted:
        return data
    return {name: keep(wanted[name], value) for name, value in data.items() if name in wanted}


def drop(unwanted: Tree, data: Any) -> Any:
    if isinstance(data, list):
        return [drop(unwanted, item) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: drop(unwanted[name], value) if name in unwanted else value
        for name, value in data.items()
        if "*" not in unwanted.get(name, ())
    }


def chosen_fields(query: dict[str, str], data: dict[str, Any]) -> dict[str, Any]:
    """Apply ``fields`` or ``exclude_fields``; the vendor allows one of the two."""
    fields, excluded = query.get("fields", ""), query.get("exclude_fields", "")
    if fields and excluded:
        raise invalid("fields", "Use either fields or exclude_fields, not both.")
    if fields:
        return dict(keep(tree(fields), data))
    if excluded:
        return dict(drop(tree(excluded), data))
    return data
