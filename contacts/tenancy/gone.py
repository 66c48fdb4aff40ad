"""The answer to a form whose row was deleted while the page was open: who did it, and what was typed in vain."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from contacts.models.history import HistoryEntry
from contacts.tenancy.views import render_page

LONGEST_OPEN = timedelta(days=30)
MOST_SHOWN = 20
NAME = "_name"  # the hidden field in which a page says whose it is
ROW = re.compile(r"(\w+)-\d+-(\w+)")


def was_overtaken(failure: DatabaseError) -> bool:
    """Whether a row went, or was locked crosswise, between reading and writing: the second time is the remedy."""
    sqlstate = getattr(failure.__cause__, "sqlstate", "")
    return sqlstate == "40P01" if failure.__cause__ else type(failure) is DatabaseError


def who_deleted(model: Any, name: str) -> HistoryEntry | None:
    """The entry of the deletion of a row of this name, if it was here and not long ago."""
    entries = HistoryEntry.objects.filter(verb=HistoryEntry.Verb.DELETED, at__gte=timezone.now() - LONGEST_OPEN)
    return entries.filter(what=str(model._meta.verbose_name), label=name[:250]).select_related("user").first()


def sentence_of(entry: HistoryEntry) -> str:
    """“Ana Ruiz was deleted by Stella while you had the page open.”"""
    return f"{entry.label} was deleted by {entry.actor_label} while you had the page open."


def nothing_saved(request: HttpRequest, model_admin: Any, sentence: str, link: tuple[str, str] | None = None) -> Any:
    """The page that says so; 404 like every address of a row that is not here."""
    context = {"opts": model_admin.opts, "sentence": sentence, "typed": list(typed(request, model_admin)), "link": link}
    return render_page(request, "admin/tenancy/gone.html", "Nothing was saved", context, status=404)


def answer(request: HttpRequest, model_admin: Any) -> HttpResponse | None:
    """The page for a form of a row that was deleted here; None where nothing of that name was."""
    name = request.POST.get(NAME, "")
    entry = who_deleted(model_admin.model, name) if name else None
    return nothing_saved(request, model_admin, sentence_of(entry)) if entry else None


def typed(request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
    """(what, value) of the texts that differ from what the page had shown, so that nobody has to remember them."""
    fields, shown = model_admin.get_form(request)(request.POST).fields, 0
    for name in request.POST:
        value = str(request.POST[name])
        before = str(request.POST.get(f"initial-{name}", "")).replace("True", "on")
        label = label_of(model_admin.model, fields, name)
        if label and value.strip() and value != before and shown < MOST_SHOWN:
            shown += 1
            yield label[:1].upper() + label[1:], "yes" if value == "on" else value


def label_of(model: Any, fields: dict[str, Any], name: str) -> str:
    """What a field of the form is called, also one of a row in it; nothing for links to other rows."""
    if name in fields:
        return "" if hasattr(fields[name], "queryset") else str(fields[name].label or name.replace("_", " "))
    row = ROW.fullmatch(name)
    try:
        field = model._meta.get_field(row[1]).related_model._meta.get_field(row[2]) if row else None
    except (FieldDoesNotExist, AttributeError):
        return ""
    return "" if field is None or field.is_relation or field.primary_key else str(field.verbose_name)
