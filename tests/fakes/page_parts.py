"""Pieces the human pages share: what was just done, the last calls, the last deliveries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from werkzeug.wrappers import Request

from tests.fakes import html as h


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
