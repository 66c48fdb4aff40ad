"""The buttons of the pages for people: do what one says, and go back to where it was pressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tests.fakes import html as h

Page = Callable[[Any, Request], Response]


def respond(sandbox: Any, request: Request, pages: Mapping[str, Page], notice: str) -> Response:
    """One of a vendor's pages, or the deed of a button on it."""
    if request.path == "/act" and request.method == "POST":
        return act(sandbox, request)
    if request.method not in ("GET", "HEAD") or (page := pages.get(request.path)) is None:
        return h.document("Not found", notice, Markup("<h1>There is no such page</h1>"), status=404)
    try:
        return page(sandbox, request)
    except KeyError:
        text = Markup("<h1>Not here any more</h1><p>{}</p>").format(h.link("/", "Back to the start"))
        return h.document("Not found", notice, text, status=404)


def act(sandbox: Any, request: Request) -> Response:
    """Do what a button says and go back to where it was pressed."""
    wish = {name: value for name, value in request.form.items() if name != "back"}
    back = request.form.get("back", "/")
    if not back.startswith("/") or back.startswith(("//", "/\\")):
        back = "/"
    try:
        sandbox.act(wish)
        note = {"done": f"Done: {wish['action'].replace('_', ' ')}."}
    except (ValueError, KeyError) as error:
        note = {"error": str(error)}
    joint = "&" if "?" in back else "?"
    return redirect(back + h.address("", **note).replace("?", joint, 1), 303)
