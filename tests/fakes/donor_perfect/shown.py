"""Answers as the live service words them: single quotes, no namespace, damage where it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.fakes.donor_perfect.options import Options
from tests.fakes.donor_perfect.tables import Kind
from tests.fakes.donor_perfect.values import write

EMPTY = "<result/>"


def rows(columns: Sequence[tuple[str, Kind | None]], found: Iterable[Sequence[Any]], options: Options) -> str:
    """`<record>` after `<record>`, or the empty result."""
    named = [(attribute(name, options), kind) for name, kind in columns]
    lines = []
    for row in found:
        fields = "".join(
            f"<field name='{name}' id='{name}' value='{attribute(write(value, kind), options)}'/>"
            for (name, kind), value in zip(named, row, strict=True)
        )
        lines.append(f"<record>{fields}</record>")
    return f"<result>{''.join(lines)}</result>" if lines else EMPTY


def saved(number: int) -> str:
    """What a save procedure answers: a field without a name."""
    return f"<result><record><field name='' id='' value='{number}'/></record></result>"


def attribute(text: str, options: Options) -> str:
    """A value between single quotes."""
    text = text.replace("'", "`") if options.backtick else text
    if not options.bare_ampersand:
        text = text.replace("&", "&amp;")
    if not options.bare_markup:
        text = text.replace("<", "&lt;").replace(">", "&gt;")
    return text if options.bare_markup and options.backtick else text.replace("'", "&apos;")
