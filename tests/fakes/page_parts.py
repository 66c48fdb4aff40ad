"""Pieces the pages for people share: what was just done, search and pages, the last calls and deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from markupsafe import Markup
from werkzeug.wrappers import Request

from tests.fakes import html as h

Row = TypeVar("Row")
SEARCH = Markup("""<form class="row" method="get" action="{action}" role="search">{hidden}
<div style="flex:1 1 14rem"><label for="q">Search address or name</label>
<input id="q" name="q" type="search" value="{q}"></div>
{choices}
<button class="quiet">Search</button></form>""")


def search(
    action: str, place: Mapping[str, object], query: str, choices: Mapping[str, tuple[str, Mapping[str, str], str]]
) -> Markup:
    """A search field and choices: {name: (label, options, the chosen one)}."""
    shown = Markup().join(h.choice(name, *each, field_id=name) for name, each in choices.items())
    return SEARCH.format(action=action, hidden=h.hidden(place), q=query, choices=shown)


def pager(
    found: Sequence[Row], request: Request, path: str, size: int, one: str, many: str, **place: object
) -> tuple[Markup, Sequence[Row]]:
    """How many there are and the ways to the pages beside this one; and this page's rows."""
    last = max(1, -(-len(found) // size))
    number = min(max(1, request.args.get("page", 1, type=int)), last)
    moves = [f"{len(found):,} {one if len(found) == 1 else many}, page {number} of {last:,}"]
    for text, to in (("Previous", number - 1), ("Next", number + 1)):
        if 1 <= to <= last:
            moves.append(h.link(path, text, **place, page=to))
    nav = Markup().join(Markup("<span>{}</span>").format(each) for each in moves)
    shape = Markup('<nav class="pages soft" aria-label="Pages">{}</nav>')
    return shape.format(nav), found[(number - 1) * size : number * size]


def said(request: Request) -> Markup:
    """The outcome of the button pressed before."""
    if text := request.args.get("error"):
        return Markup('<p class="said error" role="alert">{}</p>').format(text)
    if text := request.args.get("done"):
        return Markup('<p class="said" role="status">{}</p>').format(text)
    return Markup()


def clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else "–"


def outcome(status: int) -> Markup:
    if not status:
        return h.badge("no answer", "bad")
    return h.badge(str(status), "ok" if status < 400 else "bad")


def calls_table(calls: list[dict[str, Any]]) -> Markup:
    rows = (
        (clock(each["at"]), each["account"] or "–", each["method"], Markup("<code>{}</code>").format(each["path"]),
         outcome(each["status"]), each["fault"] or "–")
        for each in calls
    )  # fmt: skip
    return h.table(("Time (UTC)", "Account", "Method", "Address", "Answer", "Fault"), rows, "No calls yet.")


def deliveries_table(deliveries: list[dict[str, Any]]) -> Markup:
    rows = (
        (clock(each["at"]), each["account"], each["type"], each.get("email") or "–", outcome(each["status"]),
         each["attempt"])
        for each in deliveries
    )  # fmt: skip
    headings = ("Time (UTC)", "Account", "Event", "About", "Answer", "Attempt")
    return h.table(headings, rows, "Nothing was delivered yet.")
