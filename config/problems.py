"""The pages for “not allowed”, “not there” and a form too old: a sentence, in the frame that people know."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from contacts.api import problems


def _problem(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    inside = getattr(request, "member", None) is not None and request.path.startswith("/admin/")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": title,
        "sentence": sentence,
        "inside": inside,
        "frame": "admin/base_site.html" if inside else "unfold/layouts/unauthenticated.html",
    }
    return render(request, "problem.html", context, status=status)


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, with the sentence of whoever refused."""
    return _problem(request, 403, "Not allowed", str(exception or "") or "Your role does not allow this.")


def not_there(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404; it says the same for what is not there and for what belongs to somebody else."""
    if problems.is_api(request):
        return problems.answer(404, "not-found", "There is nothing at this address. The document says what there is.")
    return _problem(request, 404, "Not found", "There is nothing at this address. It may have been deleted.")


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without the token of this log-in: most often it was opened before logging in again."""
    sentence = "You opened the page before you last logged in, so nothing was saved. Load it anew and repeat it."
    return _problem(request, 403, "Please try once more", sentence)
